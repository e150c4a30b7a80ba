"""Users and groups again, with forms that fit the rest of the admin."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User

if TYPE_CHECKING:
    from django.contrib.auth.forms import (
        AdminPasswordChangeForm,
        UserChangeForm,
        UserCreationForm,
    )
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from detection.admin.base import ModelAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


# https://unfoldadmin.com/docs/installation/auth/
@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin[User]):  # type: ignore[misc]  # both are ModelAdmin
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):  # type: ignore[misc]  # as above
    pass
