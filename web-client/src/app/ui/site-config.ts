// What this installation offers, as far as a visitor may know: read from /config.json, which its operator or the process
// that serves these pages provides. Whatever is missing is not offered.
import { httpResource } from '@angular/common/http';
import { Injectable, computed } from '@angular/core';

interface Config {
  readonly registration?: boolean;
  readonly demo?: boolean;
}

@Injectable({ providedIn: 'root' })
export class SiteConfig {
  private readonly file = httpResource<Config | null>(() => '/config.json');
  private readonly config = computed(() => (this.file.hasValue() ? this.file.value() : null));

  /** True where visitors may make an account. */
  readonly hasRegistration = computed(() => this.config()?.registration === true);
  /** True where the well-known demo users exist. */
  readonly isDemo = computed(() => this.config()?.demo === true);
}
