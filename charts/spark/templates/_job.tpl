{{/*
The spec of a SparkApplication. Every job has the same image, volumes, accounts and security.
Arguments: the context, the job's name, its own fields, its driver's own fields (both as YAML).
*/}}
{{- define "spark.job" -}}
{{- $context := index . 0 }}
{{- $jobs := $context.Values.jobs }}
{{- $pod := include "spark.jobPod" $context -}}
type: Python
mode: cluster
sparkVersion: 4.1.1
{{ include "common.image" (list $context $context.Values.image) }}
mainApplicationFile: local:///opt/gamelake/spark-apps/{{ index . 1 }}.py
{{ index . 2 }}
hadoopConfigMap: hdfs-client
volumes:
  - {name: tmp, emptyDir: {}}
  {{- with $context.Values.global.kafka.caSecret }}
  # For a Kafka with TLS; optional, because a Kafka without TLS may have no such Secret.
  - {name: ca, secret: {secretName: {{ . }}, optional: true, items: [{key: ca.crt, path: ca.crt}]}}
  {{- end }}
  {{- if eq (index . 1) "tables" }}
  {{- include "common.trino.volume" $context | nindent 2 }}
  {{- end }}
driver:
  serviceAccount: spark
  {{- with index . 3 }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $jobs.driver }}
  cores: {{ .cores }}
  # The guaranteed share: it gets a whole core and more where some are idle.
  coreRequest: {{ .coreRequest }}
  memory: {{ .memory }}
  memoryOverhead: {{ .memoryOverhead }}
  {{- end }}
  envFrom: [{configMapRef: {name: gamelake-jobs}}]
  env:
    - name: KAFKA_SASL_PASSWORD
      valueFrom: {secretKeyRef: {name: spark, key: password}}
  {{- if eq (index . 1) "tables" }}
    # It creates the views.
    {{- include "common.trino.password" (list $context "gamelake") | nindent 4 }}
  {{- end }}
  {{- $pod | nindent 2 }}
  {{- if eq (index . 1) "tables" }}
    {{- include "common.trino.mount" $context | nindent 4 }}
  {{- end }}
executor:
  serviceAccount: spark-executor
  {{- with $jobs.executor }}
  instances: {{ .instances }}
  cores: {{ .cores }}
  coreRequest: {{ .coreRequest }}
  memory: {{ .memory }}
  memoryOverhead: {{ .memoryOverhead }}
  {{- end }}
  {{- $pod | nindent 2 }}
{{- end }}

{{/*
The labels, security and mounts of a driver or an executor.
*/}}
{{- define "spark.jobPod" -}}
labels: {{- include "common.selector" "spark" | nindent 2 }}
podSecurityContext:
  runAsNonRoot: true
  runAsUser: 185
  runAsGroup: 185
  fsGroup: 185
  seccompProfile: {type: RuntimeDefault}
{{ include "common.container" . }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- include "common.kafka.mount" . | nindent 2 }}
{{- end }}

{{/*
The restart policy of a job that runs once: it fails while a server that it needs is starting.
*/}}
{{- define "spark.restartOnFailure" -}}
restartPolicy:
  type: OnFailure
  onFailureRetries: 3
  onFailureRetryInterval: 20
  onSubmissionFailureRetries: 3
  onSubmissionFailureRetryInterval: 20
{{- end }}

{{/*
The metadata of what an upgrade needs before its pods. It exists while the hook runs; a failed one is kept for inspection.
Arguments: the context, the weight: lower ones exist first.
*/}}
{{- define "spark.hook" -}}
name: spark-upgrade
labels: {{- include "common.labels" (list (first .) "spark") | nindent 2 }}
annotations:
  helm.sh/hook: post-install,pre-upgrade
  helm.sh/hook-weight: {{ last . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
