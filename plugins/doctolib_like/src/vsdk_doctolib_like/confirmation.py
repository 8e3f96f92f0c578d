"""What follows a booking: with whom, when, how it goes, and the same way in as everywhere else."""


class Confirmation:
    """A PageSource. A booking page shows it with one tag, ``<iframe src="…/confirmation#HANDLE">``.

    The handle of the join link stays in the browser; the element asks for what it shows.
    """

    path = "confirmation"
    title = "doctolib.confirmation-title"

    async def body(self, language: str) -> str:
        return (
            f'<vsdk-appointment-confirmation lang="{language}"></vsdk-appointment-confirmation>'
            '<script type="module" src="../../static/confirmation.js"></script>'
        )
