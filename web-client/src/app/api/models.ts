// The services' shapes, as their OpenAPI documents give them. What a page makes of them is the page's business.

export interface User {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  /** RFC 3339. Absent where the user was read from a sign-in alone. */
  readonly createdAt?: string;
}

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds from receipt. */
  readonly expiresIn: number;
  readonly sessionId: string;
}

export interface SignIn extends TokenPair {
  readonly user: User;
  /** What had to end because too many sessions were live. */
  readonly endedSessions: readonly EndedSession[];
}

export interface EndedSession {
  readonly id: string;
  readonly deviceName: string | null;
}

export interface Device {
  readonly id: string;
  readonly deviceName: string | null;
  readonly ipAddress: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly current: boolean;
}

export const jobStatuses = ['open', 'in_progress', 'done'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export interface JobDraft {
  readonly title: string;
  readonly description: string;
  readonly status: JobStatus;
}

export interface Job extends JobDraft {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}
