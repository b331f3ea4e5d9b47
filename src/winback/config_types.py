"""The kinds of values that `winback.yml` holds: zones, durations, times of day, schedules, names, scopes."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _known_time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no IANA time zone")
    return value


def _duration(value: Any) -> Any:
    """Read '3 days', '12 hours', '30 minutes' or '20 seconds'."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d+) (day|hour|minute|second)s?", str(value))
    if not match:
        raise ValueError(f"{value!r} is no duration")
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _daily_time(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} is no time of day")
    return value


def _schedule(value: str) -> str:
    if value != "by_hand" and len(value.split()) != 5:  # noqa: PLR2004 -- a cron line has five fields
        raise ValueError(f"{value!r} is no cron line")
    return value


def _role(value: str) -> str:
    if value in ("public", "bi_reader"):
        raise ValueError(f"{value} stands for everybody who reads marts, who may not read contact details")
    return value


# Of addresses; written in small letters, as they are compared.
Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$", examples=["example.com"])]
TimeZone = Annotated[str, AfterValidator(_known_time_zone), Field(examples=["Asia/Shanghai"])]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(examples=["3 days"])]
DailyTime = Annotated[str, AfterValidator(_daily_time), Field(examples=["07:30"])]
Schedule = Annotated[str, AfterValidator(_schedule), Field(examples=["0 2 * * *"])]
Language = Annotated[Literal["en", "zh"], Field(examples=["zh"])]
Role = Annotated[str, AfterValidator(_role), Field(min_length=1, examples=["crm_export"])]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", examples=["erp"])]
# A country whose public holidays, and working days in exchange for them, are known; "none" for no holidays.
Holidays = Annotated[str, Field(pattern="^([A-Z]{2}|none)$", examples=["CN"])]


class Strict(BaseModel):
    """What refuses keys that it does not know, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScopeConfig(Strict):
    """Whose customers a recipient sees: everything, or exactly one part."""

    everything: bool = False
    region: Annotated[str | None, Field(examples=["erp:EAST"])] = None
    business_line: Annotated[str | None, Field(examples=["retail"])] = None
    account_manager: Annotated[str | None, Field(examples=["erp:AM01"])] = None

    @model_validator(mode="before")
    @classmethod
    def _plain_word(cls, value: Any) -> Any:
        return {"everything": True} if value == "everything" else value

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        parts = [self.everything or None, self.region, self.business_line, self.account_manager]
        if sum(part is not None for part in parts) != 1:
            raise ValueError("give exactly one of: everything, region, business_line, account_manager")
        return self
