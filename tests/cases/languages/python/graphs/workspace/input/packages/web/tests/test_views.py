from acme.web import views
import settings
