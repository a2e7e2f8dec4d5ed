"""Configuration: sections and keys with bounds, defaults and help; workflows and their schedules."""

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import CAPABILITIES, Schedule
from fastcollapse.config.workflows import WORKFLOWS, Workflow, register_workflow

__all__ = ["CAPABILITIES", "WORKFLOWS", "Sampling", "Schedule", "Workflow", "register_workflow"]
