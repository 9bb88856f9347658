# One static binary in an otherwise empty image. `docker build .` does all of it; `cargo xtask image` builds the last stage
# the same way from a build on the host, where no registry can be reached.
#
# To pin the builder by digest: `docker buildx imagetools inspect docker.io/library/rust:1.95.0-alpine3.22`, then
# `docker build --build-arg BUILDER=docker.io/library/rust@sha256:… .`
ARG BUILDER=docker.io/library/rust:1.95.0-alpine3.22
FROM ${BUILDER} AS build
RUN apk add --no-cache build-base ca-certificates lld
WORKDIR /src
COPY . .
# Small: one copy of equal code, packed relocations, no tables for unwinding (image.ld).
ENV RUSTFLAGS="-C link-arg=-fuse-ld=lld -C link-arg=-Wl,--icf=all,--pack-dyn-relocs=relr,-T,image.ld"
# Alpine's own target is static musl. The program itself lays out the links, one per step.
RUN cargo build --locked --release -p dns01 \
 && target/release/dns01 install --to=/rootfs \
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ca-certificates.crt \
 && install -d -m 1777 /rootfs/tmp

FROM scratch
COPY --from=build /rootfs/ /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# Numeric, because there is no /etc/passwd; Kubernetes' runAsNonRoot asks for a number too.
USER 65532:65532
ENTRYPOINT ["/dns01"]
LABEL org.opencontainers.image.title="dns01" \
      org.opencontainers.image.description="Task containers that get, renew and deliver TLS certificates by ACME DNS-01" \
      org.opencontainers.image.source="https://github.com/dns01/dns01" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
