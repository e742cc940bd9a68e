# The services: one build, and an image for each (`--target auth-service`, `--target jobs-service`). From the top of the repository:
#
#   docker build --file deploy/services.Dockerfile --target auth-service --build-arg COMMIT="$(git rev-parse HEAD)" .
#
# It needs no BuildKit: what is slow to build is a layer of its own, so that any builder keeps it.

FROM rust:1.95-bookworm AS sources
WORKDIR /sources
COPY . .
# The workspace with nothing in it: a change of code leaves it as it is, a change of dependencies does not. And what is no part of
# the services goes, so that a change of it builds nothing anew; of the workspace's other members their skeleton is enough.
RUN rm -rf deploy fuzz tools web-client docker-compose.yml Makefile \
    && mkdir /skeleton \
    && find . \( -name Cargo.toml -o -name Cargo.lock -o -path '*/src/lib.rs' -o -path '*/src/main.rs' -o -path '*/examples/*.rs' \) \
        -exec cp --parents {} /skeleton \; \
    && echo 'fn main() {}' > /tmp/stub \
    && find /skeleton -name '*.rs' -exec cp /tmp/stub {} \; \
    && rm -rf bench client latchkey system-tests ./*/examples ./*/tests

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY --from=sources /skeleton .
RUN cargo build --profile dist --locked --package auth-service --package jobs-service
COPY --from=sources /sources .
ARG COMMIT
# Where nobody told the commit a clone knows it. The skeleton was built later than the sources were written, so they are touched.
RUN if [ -d .git ]; then mkdir -p .git/objects; fi \
    && LATCHKEY_COMMIT="${COMMIT:-$(git rev-parse --verify --quiet HEAD || true)}" \
    && export LATCHKEY_COMMIT \
    && find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --profile dist --locked --package auth-service --package jobs-service

FROM gcr.io/distroless/cc-debian12:nonroot AS runtime
ARG COMMIT
LABEL org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
USER 65532:65532
WORKDIR /
ENV LATCHKEY_SERVER__HOST=0.0.0.0

FROM runtime AS auth-service
LABEL org.opencontainers.image.title="Latchkey auth-service" \
      org.opencontainers.image.description="Signs users in and keeps their sessions."
COPY --from=build /build/target/dist/auth-service /usr/local/bin/auth-service
EXPOSE 8081
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["auth-service", "healthcheck"]
ENTRYPOINT ["auth-service"]

FROM runtime AS jobs-service
LABEL org.opencontainers.image.title="Latchkey jobs-service" \
      org.opencontainers.image.description="Keeps each user's jobs, for whoever shows an access token."
COPY --from=build /build/target/dist/jobs-service /usr/local/bin/jobs-service
EXPOSE 8082
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["jobs-service", "healthcheck"]
ENTRYPOINT ["jobs-service"]
