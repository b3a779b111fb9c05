"""django-allauth with login by code, as its documentation sets it up for an application (the headless API). Settings,
URLs and WSGI application in one file. The environment names the database, Redis and the mail server."""

import os
import secrets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project")

PROCESSES = int(os.environ["PROCESSES"])
SECRET_KEY = os.environ["SECRET"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "project"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

_user, _, _rest = os.environ["DATABASE_URL"].removeprefix("postgres://").partition(":")
_password, _, _rest = _rest.partition("@")
_address, _, _name = _rest.partition("/")
_host, _, _port = _address.partition(":")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _name,
        "USER": _user,
        "PASSWORD": _password,
        "HOST": _host,
        "PORT": _port,
        # Together as many connections as Doorcode has.
        "OPTIONS": {"pool": {"min_size": 2, "max_size": max(2, 20 // PROCESSES)}},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["REDIS_URL"]}}
# In the database, as ours, with the cache before it, as Django's documentation recommends for production.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.headless",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["SMTP_PORT"])
DEFAULT_FROM_EMAIL = "no-reply@bench.example"

HEADLESS_ONLY = True
HEADLESS_CLIENTS = ["app"]
ACCOUNT_ADAPTER = "project.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
# All sign-ins of the bench come from one address. A limit that they don't reach would keep the time of every request of
# the last minute in one entry of the cache.
ACCOUNT_RATE_LIMITS = False
HEADLESS_FRONTEND_URLS = {
    name: "http://127.0.0.1/"
    for name in ("account_confirm_email", "account_reset_password", "account_reset_password_from_key", "account_signup")
}


def __getattr__(name):
    """What Django asks for after it has read the settings above."""
    if name == "urlpatterns":
        from django.http import HttpResponse
        from django.urls import include, path

        return [
            path("health", lambda request: HttpResponse("ok")),
            path("_allauth/", include("allauth.headless.urls")),
        ]
    if name == "application":
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()
    if name == "Adapter":
        from allauth.account.adapter import DefaultAccountAdapter

        class Adapter(DefaultAccountAdapter):
            """Eight digits, as ours."""

            def _code(self):
                return f"{secrets.randbelow(10**8):08}"

            generate_login_code = generate_email_verification_code = _code

        return Adapter
    raise AttributeError(name)


if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line()
