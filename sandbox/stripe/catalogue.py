from typing import Any

from sandbox.store import Record, Store
from sandbox.stripe import resources
from sandbox.stripe.errors import StripeError, missing_object
from sandbox.stripe.limits import check_address, check_email, check_metadata
from sandbox.stripe.settings import Settings

PRODUCTS, PRICES, CUSTOMERS = "stripe.products", "stripe.prices", "stripe.customers"
NOT_YET = ("tiers", "tiers_mode", "custom_unit_amount", "currency_options", "transform_quantity", "unit_amount_decimal")


class Catalogue:
    """Products, prices and customers: those made through the API, and those that sessions make along the way."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def create_product(self, data: dict[str, Any], *, param: str = "") -> Record:
        images = data.get("images") or []
        if len(images) > 8:
            raise StripeError("Invalid array: a product has at most 8 images", param=f"{param}[images]".lstrip("[]"))
        for image in images:
            check_address(image, param=f"{param}[images]" if param else "images")
        check_metadata(data.get("metadata"), param=f"{param}[metadata]" if param else "metadata")
        return self._keep(PRODUCTS, resources.product(data, now=self._settings.now()))

    def create_price(self, data: dict[str, Any], *, param: str = "", is_inline: bool = False) -> Record:
        """A price, with its product when `product_data` describes one; `param` names where the data stood."""
        self._check_price(data, param)
        if "product_data" in data:
            product_id = self.create_product(data["product_data"], param=_inside(param, "product_data"))["id"]
        elif self._store.get(PRODUCTS, data.get("product", "")):
            product_id = data["product"]
        elif "product" in data:
            raise missing_object("product", data["product"], param=_inside(param, "product"), status=400)
        else:
            at = _inside(param, "product")
            raise StripeError(f"Missing required param: {at}.", code="parameter_missing", param=at)
        now = self._settings.now()
        return self._keep(PRICES, resources.price(data, product_id=product_id, now=now, active=not is_inline))

    def create_customer(self, data: dict[str, Any]) -> Record:
        if data.get("email"):
            check_email(data["email"], param="email")
        check_metadata(data.get("metadata"), param="metadata")
        return self._keep(CUSTOMERS, resources.customer(data, now=self._settings.now()))

    def price(self, price_id: str, *, param: str) -> Record:
        price = self._store.get(PRICES, price_id)
        if price is None:
            raise missing_object("price", price_id, param=param, status=400)
        if not price["active"]:
            raise StripeError(f"The price specified is inactive: {price_id}.", param=param)
        return price

    def product_of(self, price: Record) -> Record:
        return self._store.get(PRODUCTS, price["product"]) or {}

    def customer(self, customer_id: str, *, param: str) -> Record:
        customer = self._store.get(CUSTOMERS, customer_id)
        if customer is None:
            raise missing_object("customer", customer_id, param=param, status=400)
        return customer

    def _check_price(self, data: dict[str, Any], param: str) -> None:
        for name in NOT_YET:
            if name in data:
                raise StripeError(f"The sandbox does not know {name} of a price.", param=_inside(param, name))
        if "unit_amount" not in data:
            at = _inside(param, "unit_amount")
            raise StripeError(f"Missing required param: {at}.", code="parameter_missing", param=at)
        if data["unit_amount"] < 0:
            message = "Invalid non-negative integer"
            raise StripeError(message, code="parameter_invalid_integer", param=_inside(param, "unit_amount"))
        if not (data["currency"].isascii() and data["currency"].isalpha() and len(data["currency"]) == 3):
            raise StripeError(f"Invalid currency: {data['currency']}", param=_inside(param, "currency"))

    def _keep(self, collection: str, record: Record) -> Record:
        self._store.put(collection, record["id"], record)
        return record


def _inside(param: str, name: str) -> str:
    return f"{param}[{name}]" if param else name
