// The states of a job, in words for people.
import { JobStatus } from '../api/models';

export const statusNames: Readonly<Record<JobStatus, string>> = {
  open: 'Open',
  in_progress: 'In progress',
  done: 'Done',
};
