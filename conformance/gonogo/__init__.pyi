from gonogo.api import acheck as acheck
from gonogo.api import check as check
from gonogo.errors import EvidenceError as EvidenceError
from gonogo.errors import GonogoError as GonogoError
from gonogo.errors import TargetError as TargetError
from gonogo.errors import UsageError as UsageError
from gonogo.report.model import Gate as Gate
from gonogo.report.model import Report as Report
from gonogo.verdict import Cause as Cause
from gonogo.verdict import Judgement as Judgement
from gonogo.verdict import Level as Level
from gonogo.verdict import Rule as Rule
from gonogo.verdict import Verdict as Verdict

__version__: str
