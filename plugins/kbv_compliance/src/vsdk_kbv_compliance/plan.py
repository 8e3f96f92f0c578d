"""The widest window that the rules permit. Other plans can only narrow it, because windows intersect."""

from datetime import timedelta

from vsdk import VisitPlan

WIDEST = timedelta(hours=1)
"""before the start and after it (product rule M19; no clause of 31b names hours)"""

PLAN = VisitPlan(name="kbv-compliance", opens_before=WIDEST, closes_after=WIDEST)
