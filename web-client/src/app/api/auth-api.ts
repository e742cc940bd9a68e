// auth-service's calls, one method each. Tokens are attached and renewed elsewhere; errors pass through as they are.
import { HttpClient, HttpHeaders } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, map } from 'rxjs';
import { Device, SignIn, TokenPair, User } from './models';
import { authService } from './services';

export interface DeviceList {
  readonly devices: readonly Device[];
  /** The server's clock when it answered, in milliseconds, so that "5 minutes ago" does not hang on the device's. */
  readonly asOf: number | undefined;
}

@Injectable({ providedIn: 'root' })
export class AuthApi {
  private readonly http = inject(HttpClient);

  login(username: string, password: string): Observable<SignIn> {
    return this.http.post<SignIn>(`${authService}/login`, { username, password });
  }

  refresh(refreshToken: string, idempotencyKey: string): Observable<TokenPair> {
    const headers = new HttpHeaders({ 'Idempotency-Key': idempotencyKey });
    return this.http.post<TokenPair>(`${authService}/refresh-token`, { refreshToken }, { headers });
  }

  /** Emits the status: 204 alone means that the session has ended. */
  logout(refreshToken: string): Observable<number> {
    const options = { observe: 'response', responseType: 'text' } as const;
    return this.http
      .post(`${authService}/logout`, { refreshToken }, options)
      .pipe(map((response) => response.status));
  }

  register(username: string, email: string, password: string): Observable<User> {
    return this.http.post<User>(`${authService}/register`, { username, email, password });
  }

  currentUser(): Observable<User> {
    return this.http.get<User>(`${authService}/current-user`);
  }

  changePassword(currentPassword: string, newPassword: string): Observable<unknown> {
    return this.http.put(`${authService}/current-user/password`, { currentPassword, newPassword });
  }

  devices(): Observable<DeviceList> {
    return this.http
      .get<Device[]>(`${authService}/sessions`, { observe: 'response' })
      .pipe(map(({ body, headers }) => ({ devices: body ?? [], asOf: time(headers.get('Date')) })));
  }

  endDevice(id: string): Observable<unknown> {
    return this.http.delete(`${authService}/sessions/${encodeURIComponent(id)}`);
  }

  endOtherDevices(): Observable<unknown> {
    return this.http.delete(`${authService}/sessions`, { params: { others: true } });
  }
}

function time(header: string | null): number | undefined {
  const milliseconds = Date.parse(header ?? '');
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
