from rest_framework import serializers

NUMBERS_MAX = 1000


class PartsSerializer(serializers.Serializer):
    """What is at the bucket; sizes in bytes, `numbers` those of the parts that arrived."""

    is_complete = serializers.BooleanField()
    size = serializers.IntegerField()
    part_size = serializers.IntegerField()
    numbers = serializers.ListField(child=serializers.IntegerField())
    expires_at = serializers.DateTimeField()


class NumbersSerializer(serializers.Serializer):
    """The parts to be sent next; an address is good for an hour, so ask for a few at a time."""

    numbers = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=NUMBERS_MAX)


class UrlsSerializer(serializers.Serializer):
    """Where each part is PUT, by its number. The bucket answers with an ETag, which nobody needs to send on."""

    urls = serializers.DictField(child=serializers.CharField())


class SignRequestSerializer(serializers.Serializer):
    """The request that Uppy 6 passes to its option `signRequest`; `key` and `uploadId` are not looked at."""

    method = serializers.ChoiceField(choices=["GET", "POST", "PUT", "DELETE"])
    key = serializers.CharField(required=False, allow_blank=True)
    uploadId = serializers.CharField(required=False, allow_blank=True)
    partNumber = serializers.IntegerField(required=False)
    contentType = serializers.CharField(required=False, allow_blank=True)


class SignedSerializer(serializers.Serializer):
    url = serializers.CharField()
    key = serializers.CharField()
