"""What a layer of settings says, in a line."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from detection.admin.option_fields import spell
from detection.services.inheritance import Owner


def summary_of(owner: Owner) -> str:
    """What the owner's layer sets, in a line."""
    own = owner.rule_settings if isinstance(owner.rule_settings, Mapping) else {}
    parts = []
    for section, options in own.items():
        for option, value in options.items() if isinstance(options, Mapping) else ():
            said = (
                _(", ").join(f"{_(level)} {spell(v)}" for level, v in value.items())
                if isinstance(value, Mapping)
                else spell(value)
            )
            parts.append(f"{section}.{option}: {said}")
    return "; ".join(parts) or _("everything is inherited")
