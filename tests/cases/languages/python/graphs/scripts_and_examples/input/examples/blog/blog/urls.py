from blog.models import Post
