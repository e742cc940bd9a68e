// The profile page: who is signed in, and their jobs. How jobs change is JobList's business.
import { Component, computed, inject } from '@angular/core';
import { RouterLink } from '@angular/router';
import { Job } from '../api/models';
import { Session } from '../auth/session';
import { Confirm } from '../ui/confirm';
import { Icon } from '../ui/icon';
import { LoadFailure } from '../ui/load-failure';
import { plainDate } from '../ui/relative-time';
import { JobForm } from './job-form';
import { JobList } from './job-list';
import { JobRow } from './job-row';

@Component({
  selector: 'app-profile',
  imports: [Icon, JobForm, JobRow, LoadFailure, RouterLink],
  providers: [JobList],
  templateUrl: './profile.html',
})
export class Profile {
  private readonly confirm = inject(Confirm);
  protected readonly list = inject(JobList);
  protected readonly user = inject(Session).user;
  protected readonly since = computed(() => {
    const createdAt = this.user()?.createdAt;
    return createdAt && plainDate(createdAt);
  });
  protected readonly count = computed(() => {
    const { length } = this.list.jobs();
    const isMore = this.list.nextPage() !== undefined;
    return length === 1 && !isMore ? '1 job' : `${length}${isMore ? '+' : ''} jobs`;
  });

  protected async remove(job: Job): Promise<void> {
    const question = {
      title: 'Remove this job?',
      text: `“${job.title}” cannot be brought back.`,
      action: 'Remove',
    };
    if (await this.confirm.ask(question)) this.list.remove(job);
  }
}
