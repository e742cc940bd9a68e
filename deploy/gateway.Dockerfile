# The gateway: nginx with the web client in it. From the top of the repository:
#
#   docker build --file deploy/gateway.Dockerfile .

FROM node:24-bookworm-slim AS web-client
WORKDIR /web-client
COPY web-client/package.json web-client/package-lock.json ./
RUN npm install --no-audit --no-fund
COPY web-client .
RUN npm run build

FROM nginxinc/nginx-unprivileged:1.29-alpine AS nginx
# hadolint ignore=DL3002
USER 0
# nginx needs neither a shell nor packages, and neither does anybody who breaks into it.
RUN rm -rf /etc/nginx/nginx.conf /etc/nginx/conf.d /docker-entrypoint.d /docker-entrypoint.sh \
    /sbin/apk /usr/bin/apt-get /usr/bin/dpkg /bin/sh /bin/ash /bin/bash /bin/dash /bin/busybox

# The file system as it is left now, in one layer: what was removed is not below it either.
FROM scratch
ARG COMMIT
LABEL org.opencontainers.image.title="Latchkey gateway" \
      org.opencontainers.image.description="Serves the web client and passes requests on to the services." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# hadolint ignore=DL3067
COPY --from=nginx / /
COPY deploy/gateway /etc/nginx
COPY --from=web-client /web-client/dist/web-client/browser /srv/web-client
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 101:101
EXPOSE 8080 8443
# Quit: what is in flight is finished first.
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["nginx", "-e", "stderr"]
