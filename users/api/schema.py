from drf_spectacular.utils import OpenApiResponse
from drf_standardized_errors.openapi_serializers import ErrorResponse401Serializer

LOGIN_REFUSED = OpenApiResponse(
    ErrorResponse401Serializer,
    description="`no_active_account`: wrong address or password, or a closed account; the three are not told apart.",
)
TOKEN_REFUSED = OpenApiResponse(
    ErrorResponse401Serializer, description="`token_not_valid`: forged, expired, or used already."
)
ACCEPTED = OpenApiResponse(description="Accepted. The answer is the same whether the address is registered or not.")
