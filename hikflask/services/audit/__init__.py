"""The audit trail: who did what to whom. `audit.record(…)` adds an entry; this and what belongs to it is in log.py.

Every room records within its own transaction; web/admin shows the trail.
"""

from hikflask.services.audit.log import COMMAND_LINE as COMMAND_LINE
from hikflask.services.audit.log import NOBODY as NOBODY
from hikflask.services.audit.log import SAME_SECONDS as SAME_SECONDS
from hikflask.services.audit.log import WORKER as WORKER
from hikflask.services.audit.log import Actor as Actor
from hikflask.services.audit.log import acting as acting
from hikflask.services.audit.log import current_actor as current_actor
from hikflask.services.audit.log import details_text as details_text
from hikflask.services.audit.log import one_line as one_line
from hikflask.services.audit.log import record as record
from hikflask.services.audit.log import record_alone as record_alone
from hikflask.services.audit.log import record_passages_left as record_passages_left
from hikflask.services.audit.log import record_passages_view as record_passages_view
from hikflask.services.audit.log import record_photo_view as record_photo_view
from hikflask.services.audit.log import record_refused_access as record_refused_access
from hikflask.services.audit.sealing import Entry as Entry
from hikflask.services.audit.sealing import destroy_keys as destroy_keys
from hikflask.services.audit.sealing import keys_left_by as keys_left_by
from hikflask.services.audit.sealing import names_known as names_known
from hikflask.services.audit.sealing import numbers_of as numbers_of
