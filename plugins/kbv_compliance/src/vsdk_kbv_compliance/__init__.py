"""Rules of Anlage 31b BMV-Ä for vsdk, and a plan that keeps them. The settings::

[plugin.kbv_compliance]
edition = "anlage31b@2022-06"  # see editions.py
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from vsdk import Config, ConfigurationError, VisitPlan, hookimpl
from vsdk_kbv_compliance.editions import EDITIONS, NEWEST_CONFIRMED
from vsdk_kbv_compliance.plan import PLAN
from vsdk_kbv_compliance.rules import Rule, rules_of

vsdk_api = (1, 0)


class KbvConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    edition: str = NEWEST_CONFIRMED.id


@hookimpl
def vsdk_policy_rules(config: Config) -> Sequence[Rule]:
    wanted = config.plugin("kbv_compliance", KbvConfig).edition
    if wanted not in EDITIONS:
        raise ConfigurationError(f"kbv_compliance: edition must be one of {', '.join(EDITIONS)}")
    return rules_of(EDITIONS[wanted])


@hookimpl
def vsdk_visit_plans() -> Sequence[VisitPlan]:
    return [PLAN]
