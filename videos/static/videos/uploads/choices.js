// What is wanted of the file: protection and quality, asked here unless the form around has fields of these names.

export class Choices {
  constructor(form, offered) {
    this.form = form;
    this.element = document.createElement("div");
    this.element.className = "uploader-choices";
    this.fields = offered.map((choice) => [choice.name, this.fieldOf(choice)]);
    this.element.hidden = !this.element.childElementCount;
  }

  fieldOf({ name, label, value, options }) {
    const own = this.form?.elements.namedItem(name);
    if (own) return own;
    const select = document.createElement("select");
    select.className = "uploader-select";
    select.dataset.choice = name;
    select.append(...options.map(([key, words]) => new Option(words, key, false, key === value)));
    const around = document.createElement("label");
    around.className = "uploader-choice";
    around.append(label, select);
    this.element.append(around);
    return select;
  }

  addTo(body) {
    for (const [name, field] of this.fields) body.set(name, field.value);
    return body;
  }
}
