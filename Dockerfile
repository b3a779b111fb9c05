# An image with one static binary and nothing else: `docker build -t doorcode .` or `buildah build -t doorcode .`. The
# layer with the dependencies is cached until Cargo.lock changes. RUST_IMAGE needs Rust, make and a C compiler for glibc.
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# Static, including the resolver. With an explicit --target, build scripts and macros are not built statically.
# 64-bit ARM kernels use pages of 4, 16 or 64 KiB; the allocator must be built for the largest.
ENV RUSTFLAGS="-C target-feature=+crt-static" CARGO_TERM_COLOR=never \
    AARCH64_UNKNOWN_LINUX_GNU_JEMALLOC_SYS_WITH_LG_PAGE=16
RUN rustc -vV | sed -n 's/^host: //p' >/host

# Build the dependencies alone, with empty sources.
COPY Cargo.toml Cargo.lock ./
COPY migration/Cargo.toml migration/
COPY examples/notes/Cargo.toml examples/notes/
COPY examples/verificai/Cargo.toml examples/verificai/
COPY examples/yogaflow/Cargo.toml examples/yogaflow/
COPY bench/Cargo.toml bench/
COPY clients/rust/Cargo.toml clients/rust/
RUN mkdir -p src migration/src examples/notes/src examples/verificai/src examples/yogaflow/src bench/src clients/rust/src tests/api \
 && touch src/lib.rs migration/src/lib.rs examples/verificai/src/lib.rs examples/yogaflow/src/lib.rs clients/rust/src/lib.rs \
 && for main in src/main.rs examples/notes/src/main.rs examples/verificai/src/main.rs examples/yogaflow/src/main.rs bench/src/main.rs tests/api/main.rs; do echo 'fn main() {}' >"$main"; done \
 && cargo build --release --locked --bin doorcode --target "$(cat /host)"

COPY migration migration
COPY templates templates
COPY web web
COPY src src
# Copied files may be older than the build of the empty ones, so update their times.
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
# Copy the parent folder: copying /data by name would lose its mode.
COPY --from=build --chown=65532:65532 /volume/ /
# Numeric, so that an orchestrator can verify that it is not root.
USER 65532:65532
# Production refuses to start without its settings.
ENV DOORCODE_MODE=production \
    DOORCODE_LISTEN=0.0.0.0:4000 \
    DOORCODE_DATA=/data
# Only SQLite writes, its database to /data and its temporary files to the working directory.
VOLUME /data
WORKDIR /data
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/doorcode", "health"]
ENTRYPOINT ["/doorcode"]
