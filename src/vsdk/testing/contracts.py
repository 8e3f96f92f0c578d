"""A contract per port: what every adapter must survive. Subclass it in your tests and give the fixtures.

::

    class TestAcme(NotificationChannelContract):
        secrets = ("the-token",)

        @pytest.fixture
        def adapter(self, mock_http):
            return AcmeSms(AcmeConfig(token="the-token"), mock_http.answering(json={"id": "1"}))

Each class says what it must be given.
"""

from vsdk.testing.channel_contract import AnyChannelContract, NotificationChannelContract
from vsdk.testing.identity_contract import IdentityProviderContract
from vsdk.testing.panel_contract import PanelContract
from vsdk.testing.plan_contract import VisitPlanContract
from vsdk.testing.report_contract import ReportingChannelContract
from vsdk.testing.rule_contract import PolicyRuleContract
from vsdk.testing.schedule_contract import ScheduleSourceContract

__all__ = [
    "AnyChannelContract",
    "IdentityProviderContract",
    "NotificationChannelContract",
    "PanelContract",
    "PolicyRuleContract",
    "ReportingChannelContract",
    "ScheduleSourceContract",
    "VisitPlanContract",
]
