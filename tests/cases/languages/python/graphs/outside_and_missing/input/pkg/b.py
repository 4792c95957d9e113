import docker
from docker.errors import NotFound
