# The images, of what `make release` has put into dist/. `make images` builds them;
# docs/delivery.md says how they are used. No stage runs anything, so that an image of
# one architecture can be built on another.
#
#   scratch (the last)  the program, and nothing else: for COPY --from=, and as a command
#   shell               the program and busybox: for image: in a pipeline

# What the shell comes from. "rootfs" is the stage below, for which no registry is asked.
ARG SHELL_BASE=busybox:1.37-musl

# Debian's static busybox, as release/rootfs.sh lays it out.
FROM scratch AS rootfs
ARG TARGETARCH
COPY dist/rootfs/linux-${TARGETARCH}/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# A runner starts a shell in the container, which an entrypoint would prevent. The user
# is root, as in most images for jobs: the runner's own containers make the workspace,
# and make it root's. `image:docker:user` and `docker run --user` choose another;
# /etc/passwd knows nobody, and everybody may write to /tmp.
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

# Certificate authorities are part of the program. The user is nobody; a stage that is
# built FROM this image reads a secret as `USER 0`, or with `uid=65534` in its mount.
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
