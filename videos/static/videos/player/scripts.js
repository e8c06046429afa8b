/* Hosts' own scripts, each loaded once. */
const loading = new Map();

export function loadScript(address) {
  if (!loading.has(address)) {
    loading.set(
      address,
      new Promise((resolve, reject) => {
        const script = Object.assign(document.createElement("script"), { src: address, onload: resolve });
        script.onerror = () => {
          loading.delete(address);
          reject(new Error(`${address} did not load`));
        };
        document.head.append(script);
      }),
    );
  }
  return loading.get(address);
}
