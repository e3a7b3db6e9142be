# The seed, and nothing else: no shell, no libraries. Nor certificates of authorities, by which the seed verifies names that peers
# announce: the public ones are in the program, and are used where the system has none.
#
# `make image` builds the program first, outside, and then this with bin/image as its context. The program is static, so there is
# nothing to compile or to install in here, and no other image to fetch. docs/single-machine.md says how to run it.
FROM scratch

# Set by builders for each --platform; `make image` sets them for those that do not.
ARG TARGETOS
ARG TARGETARCH

COPY ${TARGETOS}/${TARGETARCH}/seed /seed
# For the seed's own certificate and TURN secret: a volume that is new takes over this directory's owner. The only place that is written to.
COPY --chown=65532:65532 state /state

ENV SEED_STATE_DIR=/state
USER 65532:65532
EXPOSE 8443/tcp 3478/tcp 3478/udp 3479/udp
ENTRYPOINT ["/seed"]
