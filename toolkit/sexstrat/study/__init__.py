"""A study file and what it sets in motion.

Order: ``keys`` (contract of the file), ``file`` (read it), ``plan`` (which stage is stale, and why), ``stages`` (one
function a stage), ``run`` (run the stale ones), ``headlines`` (what a terminal shows), ``demo`` (the embedded sample).
"""

from sexstrat.study.file import Study, load_study
from sexstrat.study.plan import StagePlan, plan_study
from sexstrat.study.run import RunSummary, check_study, run_study

__all__ = ["RunSummary", "StagePlan", "Study", "check_study", "load_study", "plan_study", "run_study"]
