# The images, from what `make release` put into dist/. `make images` builds them;
# docs/delivery.md says how to use them. No stage runs anything, so you can build an image
# for one architecture on another.
#
#   scratch (the last)  only the program: for COPY --from=, and as a command
#   shell               the program and busybox: for image: in a pipeline

# The base of the image with a shell. "rootfs" is the stage below, which needs no registry.
ARG SHELL_BASE=busybox:1.37-musl@sha256:fc6dddc4c44b1bfe37f41cae8e67d1693828e8f42a91862816d7953e2c9d3f23

# Debian's static busybox, from release/rootfs.sh.
FROM scratch AS rootfs
ARG TARGETARCH
COPY dist/rootfs/linux-${TARGETARCH}/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# A runner starts a shell in the container, which an entrypoint would prevent. The user
# is root, as in most images for jobs, because the runner's own containers create the
# workspace as root. `image:docker:user` and `docker run --user` select another user;
# /etc/passwd contains the user nobody, and everyone may write to /tmp.
FROM ${SHELL_BASE} AS shell
ARG TARGETARCH
COPY --chmod=755 dist/bin/linux-${TARGETARCH}/artifetch /usr/local/bin/artifetch
ENTRYPOINT []
CMD ["sh"]
ARG VERSION=dev
ARG REVISION=
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=https://gitlab.com/artifetch/artifetch
LABEL org.opencontainers.image.title="artifetch" \
      org.opencontainers.image.description="fetches the artifacts of GitLab CI jobs; with a shell" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.created="${CREATED}"

# The program contains certificate authorities. The user is nobody (65534); a stage built
# FROM this image can read a secret as `USER 0`, or with `uid=65534` in the mount.
FROM scratch AS scratch
ARG TARGETARCH
COPY --chmod=755 dist/bin/linux-${TARGETARCH}/artifetch /artifetch
USER 65534:65534
ENTRYPOINT ["/artifetch"]
ARG VERSION=dev
ARG REVISION=
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=https://gitlab.com/artifetch/artifetch
LABEL org.opencontainers.image.title="artifetch" \
      org.opencontainers.image.description="fetches the artifacts of GitLab CI jobs" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.created="${CREATED}"
