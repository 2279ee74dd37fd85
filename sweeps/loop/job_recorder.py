"""Record in the study where and when its jobs run: see sweeps/study/job_records.py."""

from sweeps.launchers.contract import StreamingLauncher
from sweeps.loop.batch_adapter import Batches
from sweeps.loop.outcome import Outcome
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.study.attributes import ATTEMPTS, JOBS, SLOTS
from sweeps.study.job_records import STOPPED, as_attribute, close_left, records_of
from sweeps.study.shared_study import SharedStudy


class JobRecorder:
    """Records the jobs of one controller. Writing to a trial raises TakenOver if another controller owns it."""

    def __init__(self, study: SharedStudy, launcher: StreamingLauncher | Batches) -> None:
        self._study, self._launcher = study, launcher
        self._num_slots: int | None = None

    def remember(self, run: TrialRun) -> None:
        """Load the records of earlier controllers; jobs that a dead controller was running count as lost."""
        run.records = records_of(run.trial.user_attrs)
        close_left(run.records, self._study.study.user_attrs)
        if run.records:
            run.attributes[JOBS] = as_attribute(run.records)
        run.num_records_before_retry = self._study.num_jobs_before_retry(run.trial)

    def begin(self, job: Job) -> None:
        """Begin the record of a job, before it is submitted."""
        job.begin_record(self._study.controller.id)
        self._write(job.run)
        if self._launcher.num_slots != self._num_slots:
            self._num_slots = self._launcher.num_slots
            self._study.study.set_user_attr(f"{SLOTS}{self._study.controller.id}", self._num_slots)

    def place(self, job: Job) -> bool:
        """Record the slot of a job once it has one; returns whether it was recorded now."""
        if job.record is None or job.record.slot is not None:
            return False
        job.record.place(self._launcher.slot_of(job.num))
        if job.record.slot is None:
            return False
        self._write(job.run)
        return True

    def end(self, job: Job, outcome: Outcome, is_stopped: bool) -> None:
        """End the record of a job. It is stored when the trial ends, or with the trial's next job."""
        slot, ran_s = self._launcher.slot_of(job.num), self._launcher.ran_s(job.num)
        job.end_record(STOPPED if is_stopped else outcome.kind, outcome.reason, slot, ran_s)
        job.run.attributes[JOBS] = as_attribute(job.run.records)

    def withdraw(self, job: Job) -> None:
        """Remove the record of a job that could not start, as if it had not been submitted."""
        job.withdraw_record()
        self._write(job.run)

    def stop(self, run: TrialRun) -> None:
        """End the records of a trial that is left to a later command."""
        for record in run.records:
            if not record.ending:
                record.end(STOPPED, "the command was stopped", record.slot)
        self._write(run)

    def _write(self, run: TrialRun) -> None:
        attributes = {JOBS: as_attribute(run.records), ATTEMPTS: run.num_attempts}
        self._study.set_attributes(run.trial, attributes)
        run.attributes[JOBS] = attributes[JOBS]
