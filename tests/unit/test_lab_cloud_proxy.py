from http import HTTPStatus

import pytest

from lab.gcp import cloud
from lab.gcp.objectstore_proxy import HEALTH, needed, refusal

STORE = "store@acme.iam.gserviceaccount.com"
UPLOAD = "/upload/storage/v1/b/blocks/o?uploadType=multipart&name=01A%2Fmeta.json"
HELD = {("blocks", "01A/meta.json")}


def may(role, method, path, held=()):
    """Tell whether the holder of a role on the bucket `blocks` may send a request."""
    binding = {cloud.KIND: cloud.BUCKET_MEMBER, "bucket": "blocks", "role": role, "member": f"serviceAccount:{STORE}"}
    return refusal({"it": binding}, STORE, method, path, lambda *place: place in held) is None


class TestNeeded:
    @pytest.mark.parametrize(
        ("method", "path", "permission"),
        [
            ("GET", "/storage/v1/b/blocks/o?prefix=01A", "list"),
            ("GET", "/storage/v1/b/blocks/o/01A%2Fmeta.json?alt=media", "get"),
            ("GET", "/download/storage/v1/b/blocks/o/01A%2Fmeta.json", "get"),
            ("GET", "/blocks/01A/meta.json", "get"),
            ("HEAD", "/blocks/01A/meta.json", "get"),
            ("POST", UPLOAD, "create"),
            ("DELETE", "/storage/v1/b/blocks/o/01A%2Fmeta.json", "delete"),
            ("PATCH", "/storage/v1/b/blocks/o/01A%2Fmeta.json", "update"),
        ],
    )
    def test_each_request_is_for_one_permission_on_one_bucket(self, method, path, permission):
        """
        Both of Cloud Storage's APIs are read, with their escapes and queries.
        """
        assert needed(method, path) == ("blocks", permission)

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/storage/v1/b"),
            ("DELETE", "/storage/v1/b/blocks"),
            ("POST", "/storage/v1/b"),
            ("POST", "/batch/storage/v1"),
            ("POST", "/_internal/delete_all"),
            ("PUT", "/blocks/01A/meta.json"),
        ],
    )
    def test_what_is_not_about_objects_is_no_role_s(self, method, path):
        """
        No role on a bucket's objects gives a right on buckets, or on the server itself.
        """
        assert not needed(method, path)[1]
        assert not may("roles/storage.objectAdmin", method, path)


class TestRefusal:
    @pytest.mark.parametrize(
        ("role", "allowed"),
        [
            ("roles/storage.objectViewer", ["GET", "LIST"]),
            ("roles/storage.objectCreator", ["POST"]),
            ("roles/storage.objectAdmin", ["GET", "LIST", "POST", "DELETE"]),
            ("roles/storage.unheardOf", []),
        ],
    )
    def test_a_role_lets_through_what_it_is_for(self, role, allowed):
        """
        Viewers read and list, creators write, administrators do all, an unknown role nothing.
        """
        asked = {
            "GET": ("GET", "/storage/v1/b/blocks/o/01A%2Fmeta.json"),
            "LIST": ("GET", "/storage/v1/b/blocks/o"),
            "POST": ("POST", UPLOAD),
            "DELETE": ("DELETE", "/storage/v1/b/blocks/o/01A%2Fmeta.json"),
        }

        assert [name for name, request in asked.items() if may(role, *request)] == allowed

    @pytest.mark.parametrize(
        ("role", "writes_over"), [("roles/storage.objectCreator", False), ("roles/storage.objectAdmin", True)]
    )
    def test_writing_over_an_object_needs_the_right_to_delete_it(self, role, writes_over):
        """
        A creator can add objects and never change one.
        """
        assert may(role, "POST", UPLOAD, held=HELD) is writes_over

    def test_another_bucket_is_another_matter(self):
        """
        Rights end with the bucket they are given on.
        """
        assert not may("roles/storage.objectAdmin", "GET", "/storage/v1/b/rules/o")

    def test_who_shows_no_token_is_unauthorised(self):
        """
        Nobody reads anonymously.
        """
        refused = refusal({}, "", "GET", "/storage/v1/b/blocks/o", lambda *_: False)

        assert refused is not None
        assert refused[0] == HTTPStatus.UNAUTHORIZED

    def test_a_refusal_names_the_account_and_the_permission(self):
        """
        The message of the component that failed says which right is missing, and whose.
        """
        refused = refusal({}, STORE, "GET", "/storage/v1/b/blocks/o", lambda *_: False)

        assert refused is not None
        assert STORE in refused[1]
        assert "storage.objects.list" in refused[1]

    @pytest.mark.parametrize(("email", "path"), [(cloud.OPERATOR, "/storage/v1/b"), ("", HEALTH)])
    def test_operators_do_all_and_anyone_may_ask_for_health(self, email, path):
        """
        `pulumi up` makes buckets; the lab asks whether the store answers.
        """
        assert refusal({}, email, "GET", path, lambda *_: False) is None
