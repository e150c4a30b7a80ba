"""Users and groups again, with forms that fit the rest of the admin."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User

from detection.admin.base import ModelAdmin

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


# https://unfoldadmin.com/docs/installation/auth/
@admin.register(User)
class UserAdmin(_UserAdmin, ModelAdmin[User]):
    form = _UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin[Group]):
    pass
