"""The task that waits for a person's decision on a campaign's list, and notes it."""

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param

from winback.campaign.approval import buttons, record_answer
from winback.report.scope import Language


class CampaignApproval(ApprovalOperator):
    """Ask for approval of one list; whatever the answer, or none in time, it is noted in the warehouse.

    Subject and body are no templates: a customer's number may hold what a template would run.
    """

    template_fields = ()

    def __init__(self, *, decision_id: int, language: Language, **kwargs: Any) -> None:
        named = buttons(language)
        self.APPROVE, self.REJECT = named["approve"], named["reject"]
        super().__init__(
            params={"reason": Param(None, type=["null", "string"], title=named["reason"])},
            # taken when the time is over: nobody has answered then
            defaults=self.REJECT,
            **kwargs,
        )
        self.decision_id = decision_id

    def execute_complete(self, context: Any, event: dict[str, Any]) -> str:
        """Note the answer and return what became of the list; who answered stays in the warehouse."""
        answer = super().execute_complete(context, event)
        person = answer["responded_by_user"]
        return record_answer(
            self.decision_id,
            is_approved=answer["chosen_options"] == [self.APPROVE],
            by=person["name"] if person else None,
            reason=answer["params_input"].get("reason"),
        )
