"""
Fields of Alertmanager 0.31 that people write verbatim: integrations, time intervals and inhibition rules.

Of config/notifiers.go, config/config.go and timeinterval/timeinterval.go there, `HTTPClientConfig` of prometheus/common
0.67, and sigv4 0.4. Fields that only another source of secrets than files serves (`*_ref`) are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .kinds import BOOL, COUNT, LENGTH, LIST, MAPPING, Kind


@dataclass(frozen=True, slots=True)
class Secret:
    """A field that Alertmanager keeps secret."""

    has_file: bool = True
    """Whether it reads it from a file too, as `<field>_file`."""


@dataclass(frozen=True, slots=True)
class Public:
    """A field that is no secret, and that Alertmanager also reads from a file, as `<field>_file`."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of mappings."""

    fields: "Fields"


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers of every request: name -> values, secrets and files."""


Field: TypeAlias = "Kind | Secret | Public | ListOf | Headers | Fields"
Fields: TypeAlias = Mapping[str, Field]

TEXT = Kind(lambda value: isinstance(value, str), "is not a string", "Put it in quotes.")
TEXTS = Kind(
    lambda value: isinstance(value, list | tuple) and all(isinstance(one, str) for one in value),
    "is not a list of strings",
    "Write [a, b], each in quotes.",
)
TABLE = Kind(
    lambda value: isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()),
    "is not a mapping of strings",
    "Write keys and values, each value in quotes.",
)
URL = Kind(
    lambda value: isinstance(value, str) and value.startswith(("https://", "http://")),
    "is not a URL",
    "Write https://host/path.",
)
_NUMBER = Kind(
    lambda value: isinstance(value, int) and not isinstance(value, bool),
    "is not a whole number",
    "Write digits only, without quotes.",
)
_TEXT_OR_TEMPLATE = Kind(
    lambda value: (
        isinstance(value, str) or (isinstance(value, Mapping) and value.keys() <= {"template", "enable_update"})
    ),
    "is neither a string nor a mapping with template",
    "Write {template: …, enable_update: false}, or the text.",
)


def _texts(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, TEXT)


_TLS: Fields = {
    "ca": Public(TEXT),
    "cert": Public(TEXT),
    "key": Secret(),
    "insecure_skip_verify": BOOL,
    **_texts("server_name", "min_version", "max_version"),
}
_PROXY: Fields = {
    "proxy_url": URL,
    "no_proxy": TEXT,
    "proxy_from_environment": BOOL,
    "proxy_connect_header": Secret(has_file=False),
}
OAUTH: Fields = {
    "client_secret": Secret(),
    "client_certificate_key": Secret(),
    "claims": MAPPING,
    "scopes": TEXTS,
    "endpoint_params": TABLE,
    "tls_config": _TLS,
    **_texts("client_id", "client_certificate_key_id", "grant_type", "signature_algorithm", "iss", "audience"),
    "token_url": URL,
    **_PROXY,
}
"""Fields of `oauth2`."""
HTTP: Fields = {
    "basic_auth": {"username": Public(TEXT), "password": Secret()},
    "authorization": {"type": TEXT, "credentials": Secret()},
    "oauth2": OAUTH,
    "bearer_token": Secret(),
    "tls_config": _TLS,
    "follow_redirects": BOOL,
    "enable_http2": BOOL,
    "http_headers": Headers(),
    **_PROXY,
}
"""Fields of `http_config`."""
_FIELD: Fields = {"title": TEXT, "value": TEXT, "short": BOOL}
_ATTACHMENT = ("fallback", "color", "pretext", "text", "title", "title_link", "footer", "image_url", "thumb_url")
_COMMON: Fields = {"send_resolved": BOOL, "http_config": HTTP}
_TEAMS: Fields = {**_COMMON, "webhook_url": Secret(), **_texts("title", "text")}

INTEGRATIONS: Mapping[str, Fields] = {
    "discord_configs": {
        **_COMMON,
        "webhook_url": Secret(),
        **_texts("content", "title", "message", "username", "avatar_url"),
    },
    "email_configs": {
        "send_resolved": BOOL,
        **_texts("to", "from", "hello", "smarthost", "auth_username", "auth_identity", "html", "text"),
        "auth_password": Secret(),
        "auth_secret": Secret(),
        "headers": TABLE,
        "require_tls": BOOL,
        "tls_config": _TLS,
        "force_implicit_tls": BOOL,
        "threading": {"enabled": BOOL, "thread_by_date": TEXT},
    },
    "incidentio_configs": {
        **_COMMON,
        "url": Public(URL),
        "alert_source_token": Secret(),
        "max_alerts": COUNT,
        "timeout": LENGTH,
    },
    "jira_configs": {
        **_COMMON,
        "api_url": URL,
        "summary": _TEXT_OR_TEMPLATE,
        "description": _TEXT_OR_TEMPLATE,
        "labels": TEXTS,
        **_texts("api_type", "project", "priority", "issue_type"),
        **_texts("reopen_transition", "resolve_transition", "wont_fix_resolution"),
        "reopen_duration": LENGTH,
        "fields": MAPPING,
    },
    "mattermost_configs": {
        **_COMMON,
        "webhook_url": Secret(),
        **_texts("channel", "username", "text", "icon_url", "icon_emoji", "type"),
        "attachments": ListOf(
            {
                **_texts(*_ATTACHMENT, "author_name", "author_link", "author_icon", "footer_icon"),
                "fields": ListOf(_FIELD),
            }
        ),
        "props": {"card": TEXT},
        "priority": {"priority": TEXT, "requested_ack": BOOL, "persistent_notifications": BOOL},
    },
    "msteams_configs": {**_TEAMS, "summary": TEXT},
    "msteamsv2_configs": _TEAMS,
    "opsgenie_configs": {
        **_COMMON,
        "api_key": Secret(),
        "api_url": URL,
        **_texts("message", "description", "source", "entity", "actions", "tags", "note", "priority"),
        "details": TABLE,
        "responders": ListOf(_texts("id", "name", "username", "type")),
        "update_alerts": BOOL,
    },
    "pagerduty_configs": {
        **_COMMON,
        "service_key": Secret(),
        "routing_key": Secret(),
        "url": URL,
        **_texts("client", "client_url", "description", "source", "severity", "class", "component", "group"),
        "details": MAPPING,
        "images": ListOf(_texts("src", "alt", "href")),
        "links": ListOf(_texts("href", "text")),
        "timeout": LENGTH,
    },
    "pushover_configs": {
        **_COMMON,
        "user_key": Secret(),
        "token": Secret(),
        **_texts("title", "message", "url", "url_title", "device", "sound", "priority"),
        **dict.fromkeys(("retry", "expire", "ttl"), LENGTH),
        "html": BOOL,
        "monospace": BOOL,
    },
    "rocketchat_configs": {
        **_COMMON,
        "api_url": URL,
        "token_id": Secret(),
        "token": Secret(),
        **_texts("channel", "color", "title", "title_link", "text", "emoji", "icon_url", "image_url", "thumb_url"),
        "fields": ListOf(_FIELD),
        "short_fields": BOOL,
        "link_names": BOOL,
        "actions": ListOf(
            {
                **_texts("type", "text", "url", "imageurl", "webviewheightratio", "msg", "msgprocessingtype"),
                "iswebview": BOOL,
                "msginchatwindow": BOOL,
            }
        ),
    },
    "slack_configs": {
        **_COMMON,
        "api_url": Secret(),
        "app_token": Secret(),
        "app_url": URL,
        **_texts(*_ATTACHMENT, "channel", "username", "message_text", "callback_id", "icon_emoji", "icon_url"),
        "fields": ListOf(_FIELD),
        "short_fields": BOOL,
        "link_names": BOOL,
        "mrkdwn_in": TEXTS,
        "actions": ListOf(
            {
                **_texts("type", "text", "url", "style", "name", "value"),
                "confirm": _texts("text", "title", "ok_text", "dismiss_text"),
            }
        ),
        "timeout": LENGTH,
    },
    "sns_configs": {
        **_COMMON,
        "api_url": TEXT,
        "sigv4": {
            **_texts("region", "profile", "role_arn", "service_name"),
            "access_key": Secret(has_file=False),
            "secret_key": Secret(has_file=False),
            "use_fips_sts_endpoint": BOOL,
        },
        **_texts("topic_arn", "phone_number", "target_arn", "subject", "message"),
        "attributes": TABLE,
    },
    "telegram_configs": {
        **_COMMON,
        "api_url": URL,
        "bot_token": Secret(),
        "chat_id": Public(_NUMBER),
        "message_thread_id": COUNT,
        **_texts("message", "parse_mode"),
        "disable_notifications": BOOL,
    },
    "victorops_configs": {
        **_COMMON,
        "api_key": Secret(),
        "api_url": URL,
        **_texts("routing_key", "message_type", "state_message", "entity_display_name", "monitoring_tool"),
        "custom_fields": TABLE,
    },
    "webex_configs": {**_COMMON, "api_url": URL, **_texts("message", "room_id")},
    "webhook_configs": {**_COMMON, "url": Secret(), "max_alerts": COUNT, "timeout": LENGTH},
    "wechat_configs": {
        **_COMMON,
        "api_secret": Secret(),
        "api_url": URL,
        **_texts("corp_id", "message", "to_user", "to_party", "to_tag", "agent_id", "message_type"),
    },
}
"""Kind of integration, as a receiver in alertmanager.yml has it -> the fields of one."""

REQUIRED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "discord_configs": (("webhook_url",),),
    "email_configs": (("to",), ("from",), ("smarthost",)),
    "incidentio_configs": (("url",), ("alert_source_token", "http_config")),
    "jira_configs": (("api_url",), ("project",), ("issue_type",)),
    "mattermost_configs": (("webhook_url",),),
    "msteams_configs": (("webhook_url",),),
    "msteamsv2_configs": (("webhook_url",),),
    "opsgenie_configs": (("api_key",),),
    "pagerduty_configs": (("routing_key", "service_key"),),
    "pushover_configs": (("user_key",), ("token",)),
    "rocketchat_configs": (("api_url",), ("token_id",), ("token",)),
    "slack_configs": (("api_url", "app_token"),),
    "sns_configs": (("topic_arn", "target_arn", "phone_number"),),
    "telegram_configs": (("bot_token",), ("chat_id",)),
    "victorops_configs": (("api_key",), ("routing_key",)),
    "webex_configs": (("room_id",), ("http_config",)),
    "webhook_configs": (("url",),),
    "wechat_configs": (("api_secret",), ("corp_id",)),
}
"""Kind of integration -> groups of fields of which it needs one; there are no `global` settings to take them from."""

TIME_INTERVAL: Fields = {
    "name": TEXT,
    "time_intervals": ListOf(
        {
            "times": ListOf(_texts("start_time", "end_time")),
            **dict.fromkeys(("weekdays", "days_of_month", "months", "years"), LIST),
            "location": TEXT,
        }
    ),
}
"""Fields of an entry of `time_intervals`."""

INHIBIT_RULE: Fields = {"name": TEXT, "source_matchers": TEXTS, "target_matchers": TEXTS, "equal": TEXTS}
"""Fields of an entry of `inhibit_rules`."""
