"""### Win-back campaigns

Puts the lists of campaigns that are due before a person, and carries out what is approved.

**Starts** by itself when marts are published. **Steps**: `propose` draws the list of each campaign of
`seeds/company/campaigns.csv` that starts soon; `ask` waits under *Required actions* for a person to approve
it or to reject it with a reason. A list without an answer in time expires, and the next run asks again with a
fresh one. **Connections**: the warehouse.
**Running it again** puts up the same list, and asks nothing that a person has decided: every decision is in
`ops.campaign_decisions`.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task

from winback.airflow.approval import CampaignApproval
from winback.airflow.wiring import MARTS, SETTINGS
from winback.config import load_settings

settings = load_settings()


@task
def propose():
    from winback.campaign.approval import forms_to_answer

    return forms_to_answer(settings)


@dag(
    schedule=PartitionedAssetTimetable(assets=MARTS),
    doc_md=__doc__,
    dag_display_name="Win-back campaigns",
    **SETTINGS,
)
def winback_campaigns():
    ask = CampaignApproval.partial(
        task_id="ask",
        language=settings.campaigns.language,
        response_timeout=settings.campaigns.answer_within,
    )
    ask.expand_kwargs(propose())


winback_campaigns()
