"""Users and groups: who has which role at which station. Nobody gives more than they have."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ModelAdmin, signed_in
from detection.admin.permission_words import in_words
from detection.admin.station_access import StationAccessInline, gives_no_more
from detection.models import stations_of

if TYPE_CHECKING:
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        UserChangeForm,
        UserCreationForm,
    )

    _UserAdmin = DjangoUserAdmin[User]
    _UserChangeForm = UserChangeForm[User]
else:
    from unfold.forms import AdminPasswordChangeForm, UserCreationForm
    from unfold.forms import UserChangeForm as _UserChangeForm

    _UserAdmin = DjangoUserAdmin  # cannot be subscripted at run time

admin.site.unregister(User)
admin.site.unregister(Group)

OWN_ROLE = ("is_active", "groups")
OF_SUPERVISORS: Any = (
    (None, {"fields": ("username", "password")}),
    (_("Person"), {"fields": ("first_name", "last_name", "email")}),
    (_("Role"), {"fields": ("is_active", "groups")}),
    (_("Dates"), {"fields": ("last_login", "date_joined")}),
)


# https://unfoldadmin.com/docs/installation/auth/
@admin.register(User)
class UserAdmin(_UserAdmin, ModelAdmin[User]):  # type: ignore[misc]  # stubs disagree on a default
    form = _UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (StationAccessInline,)
    list_display = ("username", "first_name", "last_name", "roles", "stations", "is_active")
    list_filter = ("is_active", "is_superuser", "groups")
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """A superuser is nothing that anybody below may see, change, delete or log in as."""
        users = super().get_queryset(request).select_related("station_access")
        users = users.prefetch_related("groups")
        return users if signed_in(request).is_superuser else users.filter(is_superuser=False)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and _holds_no_more(obj, signed_in(request))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and _holds_no_more(obj, signed_in(request))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None or signed_in(request).is_superuser:
            return super().get_fieldsets(request, obj)
        return OF_SUPERVISORS

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj is not None else ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody but a superuser changes the own role."""
        fields = super().get_readonly_fields(request, obj)
        officer = signed_in(request)
        return (*fields, *OWN_ROLE) if obj == officer and not officer.is_superuser else fields

    def get_list_filter(self, request: HttpRequest) -> Any:
        if signed_in(request).is_superuser:
            return self.list_filter
        return tuple(name for name in self.list_filter if name != "is_superuser")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = _groups_to_give(signed_in(request))
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return in_words(field) if db_field.name == "user_permissions" else field

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # an account without the admin would be of no use here
        super().save_model(request, obj, form, change)

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        return (
            gettext("superuser")
            if user.is_superuser
            else ", ".join(g.name for g in user.groups.all())
        )

    @admin.display(description=_("stations"))
    def stations(self, user: User) -> str:
        return str(getattr(user, "station_access", "") or "")


def _holds_no_more(user: User | None, officer: Any) -> bool:
    """Whoever sets the password of somebody who may do or see more could log in as that one."""
    if user is None or user == officer:
        return True
    # Of somebody inactive Django says that he may do nothing, and he may be active tomorrow.
    awake = User.objects.get(pk=user.pk)
    awake.is_active = True
    return bool(officer.get_all_permissions() >= awake.get_all_permissions()) and gives_no_more(
        officer, stations_of(awake)
    )


def _groups_to_give(giver: Any) -> QuerySet[Group]:
    """Groups all of whose permissions the giver has."""
    groups = Group.objects.all()
    if giver.is_superuser:
        return groups
    own = giver.get_all_permissions()
    allowed = [
        group.pk
        for group in groups.prefetch_related("permissions__content_type")
        if own.issuperset(
            f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()
        )
    ]
    return groups.filter(pk__in=allowed)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):
    """What a group may do is for superusers: whoever changes it could give themselves anything."""

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        return in_words(super().formfield_for_manytomany(db_field, request, **kwargs))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return signed_in(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return signed_in(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return signed_in(request).is_superuser
