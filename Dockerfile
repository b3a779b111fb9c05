# Doorcode as a container: one static binary and nothing else, no shell, no libraries, no package.
# `docker build -t doorcode .` or `buildah build -t doorcode .`; both keep the layer with the dependencies until
# Cargo.lock changes. Any image with Rust, make and a C compiler for glibc will do to build in.
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# Static, with the resolver inside. The target is named so that build scripts and macros stay as they are.
# Kernels of 64-bit ARM have pages of 4, 16 or 64 KiB, and the allocator must be built for the largest.
ENV RUSTFLAGS="-C target-feature=+crt-static" CARGO_TERM_COLOR=never \
    AARCH64_UNKNOWN_LINUX_GNU_JEMALLOC_SYS_WITH_LG_PAGE=16
RUN rustc -vV | sed -n 's/^host: //p' >/host

# The dependencies alone: the manifests, and sources that do nothing.
COPY Cargo.toml Cargo.lock ./
COPY migration/Cargo.toml migration/
COPY examples/notes/Cargo.toml examples/notes/
RUN mkdir -p src migration/src examples/notes/src tests/api \
 && touch src/lib.rs migration/src/lib.rs examples/notes/src/lib.rs \
 && for main in src/main.rs examples/notes/src/main.rs tests/api/main.rs; do echo 'fn main() {}' >"$main"; done \
 && cargo build --release --locked --bin doorcode --target "$(cat /host)"

COPY migration migration
COPY templates templates
COPY web web
COPY src src
# Copied files are older than what was just built of the empty ones.
RUN touch src/lib.rs src/main.rs migration/src/lib.rs \
 && cargo build --release --locked --bin doorcode --target "$(cat /host)" \
 && mkdir -p /image /volume/data \
 && cp "target/$(cat /host)/release/doorcode" /image/doorcode \
 && chmod 0555 /image/doorcode \
 && chmod 0700 /volume/data

FROM scratch
LABEL org.opencontainers.image.title="Doorcode" \
      org.opencontainers.image.description="A self-hosted sign-in service: users enter their email address and the code we email them" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY LICENSE-APACHE LICENSE-MIT /
COPY --from=build /image/doorcode /doorcode
# From above it, for a folder that is copied by its name leaves its mode behind.
COPY --from=build --chown=65532:65532 /volume/ /
# A number, so that an orchestrator can see that it is not root.
USER 65532:65532
# Beyond loopback it serves nobody who did not say how: production refuses to start without its settings.
ENV DOORCODE_MODE=production \
    DOORCODE_LISTEN=0.0.0.0:4000 \
    DOORCODE_DATA=/data
# The one place that is written to, and only by SQLite, which puts its temporary files where it stands.
VOLUME /data
WORKDIR /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/doorcode", "health"]
ENTRYPOINT ["/doorcode"]
