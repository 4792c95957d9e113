from acme.core.util import x
import acme.web.views
