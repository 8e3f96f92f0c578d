"""SMS through the ACME gateway."""

from pydantic import BaseModel, SecretStr

from vsdk import Config, Http, Message, Receipt, hookimpl


class AcmeConfig(BaseModel, extra="forbid"):
    token: SecretStr
    url: str = "https://sms.acme.example/v1/messages"


class AcmeSms:
    channel = "sms"

    def __init__(self, config: AcmeConfig, http: Http) -> None:
        self.config, self.http = config, http

    async def deliver(self, message: Message) -> Receipt:
        body = {"to": message.recipient, "text": message.text, "reference": message.idempotency_key}
        headers = {"Authorization": f"Bearer {self.config.token.get_secret_value()}"}
        reply = await self.http.post(self.config.url, json=body, headers=headers)
        return Receipt(provider_id=reply.json()["id"])


@hookimpl
def vsdk_notification_channels(config: Config, http: Http) -> list[AcmeSms]:
    return [AcmeSms(config.plugin("acme_sms", AcmeConfig), http)]
