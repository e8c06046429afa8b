app_name = "videos_hosted"

urlpatterns: list = []
