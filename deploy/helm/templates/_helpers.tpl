{{/* Names and labels of all resources. */}}
{{- define "ordermesh.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "ordermesh.labels" -}}
app.kubernetes.io/name: ordermesh
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: ordermesh
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* What selects the pods of a role: dict "root" $ "role" NAME */}}
{{- define "ordermesh.selector" -}}
app.kubernetes.io/name: ordermesh
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "ordermesh.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ordermesh.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{/* The brokers of this region, as KAFKA_BROKERS takes them. */}}
{{- define "ordermesh.brokers" -}}
{{- if .Values.kafka.brokers -}}
{{- join "," .Values.kafka.brokers -}}
{{- else if .Values.kafka.strimzi.enabled -}}
{{- printf "%s-kafka-bootstrap:9093" .Values.kafka.strimzi.cluster -}}
{{- else -}}
{{- fail "kafka.brokers is empty and kafka.strimzi.enabled is false; one of them says where Kafka is" -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the authority of the brokers; empty without one. */}}
{{- define "ordermesh.kafkaCaSecret" -}}
{{- if .Values.kafka.caSecret.name -}}
{{- .Values.kafka.caSecret.name -}}
{{- else if .Values.kafka.strimzi.enabled -}}
{{- printf "%s-cluster-ca-cert" .Values.kafka.strimzi.cluster -}}
{{- end -}}
{{- end -}}

{{- define "ordermesh.usesSasl" -}}
{{- if hasPrefix "SASL_" .Values.kafka.securityProtocol -}}yes{{- end -}}
{{- end -}}

{{- define "ordermesh.usesKafkaTls" -}}
{{- if hasSuffix "SSL" .Values.kafka.securityProtocol -}}yes{{- end -}}
{{- end -}}

{{/*
The roles that this installation runs, as YAML: by role its arguments, the ports beside the admin port, the database role, and for a worker
the group and topic whose lag scales it. Admin ports are those of contracts/roles.ts.
*/}}
{{- define "ordermesh.roles" -}}
gateway: { args: [gateway], adminPort: 9464, database: intake, kafka: true, ports: { http: 8080, grpc: 8081 } }
order-validator: { args: [worker, order-validator], adminPort: 9465, database: worker, kafka: true, topic: raw-orders }
payment: { args: [worker, payment], adminPort: 9466, database: worker, kafka: true, topic: validated-orders }
kitchen: { args: [worker, kitchen], adminPort: 9467, database: worker, kafka: true, topic: validated-orders }
display: { args: [display], adminPort: 9468, database: display, kafka: true, ports: { http: 8090 } }
{{- if .Values.google.project }}
bridge: { args: [bridge], adminPort: 9469, database: worker, kafka: true, topic: validated-orders }
warehouse: { args: [warehouse], adminPort: 9470, database: worker, kafka: false }
loyalty: { args: [loyalty], adminPort: 9471, database: worker, kafka: false, ports: { http: 8082 } }
{{- end }}
{{- end -}}
