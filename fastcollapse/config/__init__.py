"""Configuration: sections and keys with bounds, defaults and help; workflows and their schedules."""

from fastcollapse.config.capabilities import CAPABILITIES
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.workflow_base import Workflow
from fastcollapse.config.workflows import WORKFLOWS, register_workflow

__all__ = ["CAPABILITIES", "WORKFLOWS", "Sampling", "Schedule", "Workflow", "register_workflow"]
