from .sansio.app import App
from .sansio import scaffold
