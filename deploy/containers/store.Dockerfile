# An S3 server for the models (SeaweedFS, Apache-2.0) that needs no root: its data folder belongs to user 10001, and so
# does a new volume that Docker puts there.
FROM chrislusf/seaweedfs:3.97
USER 0:0
RUN mkdir -p /data && chown 10001:10001 /data
USER 10001:10001
EXPOSE 8333
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8333/healthz"]
ENTRYPOINT ["weed"]
CMD ["server", "-dir=/data", "-ip.bind=0.0.0.0", "-s3", "-s3.port=8333", "-s3.config=/run/secrets/store_identities"]
