{{/* Environment, mounts and volumes of a container: dict "root" $ "role" NAME "database" DATABASE-ROLE "kafka" BOOL */}}
{{- define "ordermesh.env" -}}
{{- $values := .root.Values -}}
{{- $role := default dict (get $values.roles .role) -}}
- { name: REGION, value: {{ $values.region | quote }} }
- { name: ORDERMESH_ADMIN_HOST, value: "0.0.0.0" }
- { name: ORDERMESH_ADMIN_TOKEN_FILE, value: /run/secrets/admin/token }
- { name: ORDERMESH_PARTITIONS, value: {{ $values.kafka.partitions | quote }} }
- { name: ORDERMESH_REPLICATION_FACTOR, value: {{ $values.kafka.replicationFactor | quote }} }
- { name: ORDERMESH_MIN_INSYNC_REPLICAS, value: {{ $values.kafka.minInsyncReplicas | quote }} }
{{- if .database }}
- { name: DATABASE_URL_FILE, value: /run/secrets/database/{{ .database }} }
{{- if $values.database.caSecret.name }}
- { name: DATABASE_SSL_CA_FILE, value: /run/secrets/database-ca/{{ $values.database.caSecret.key }} }
{{- end }}
{{- end }}
{{- if or .kafka (has .role (list "warehouse" "loyalty")) }}
- { name: KAFKA_BROKERS, value: {{ include "ordermesh.brokers" .root | quote }} }
{{- end }}
{{- if .kafka }}
- { name: KAFKA_SECURITY_PROTOCOL, value: {{ $values.kafka.securityProtocol | quote }} }
{{- if include "ordermesh.usesSasl" .root }}
- { name: KAFKA_SASL_MECHANISM, value: {{ $values.kafka.saslMechanism | quote }} }
- { name: KAFKA_SASL_USERNAME, value: {{ printf "%s%s" $values.kafka.userPrefix .role | quote }} }
- { name: KAFKA_SASL_PASSWORD_FILE, value: /run/secrets/kafka/password }
{{- end }}
{{- if and (include "ordermesh.usesKafkaTls" .root) (include "ordermesh.kafkaCaSecret" .root) }}
- { name: KAFKA_SSL_CA_FILE, value: /run/secrets/kafka-ca/{{ $values.kafka.caSecret.key }} }
{{- end }}
{{- if $values.peerBrokers }}
- { name: ORDERMESH_PEER_BROKERS, value: {{ join "," $values.peerBrokers | quote }} }
{{- end }}
{{- end }}
{{- if eq .role "gateway" }}
{{- if $values.identity.jwksUrl }}
- { name: ORDERMESH_JWKS, value: {{ $values.identity.jwksUrl | quote }} }
{{- else if $values.identity.jwksSecret }}
- { name: ORDERMESH_JWKS, value: /run/secrets/jwks/jwks.json }
{{- end }}
- { name: ORDERMESH_JWT_ISSUER, value: {{ $values.identity.issuer | quote }} }
- { name: ORDERMESH_JWT_AUDIENCE, value: {{ $values.identity.audience | quote }} }
{{- end }}
{{- if get $role "tlsSecret" }}
- { name: TLS_CERT_FILE, value: /run/secrets/tls/tls.crt }
- { name: TLS_KEY_FILE, value: /run/secrets/tls/tls.key }
{{- end }}
{{- if $values.simulation }}
- { name: ORDERMESH_ALLOW_SIMULATION, value: "on" }
{{- end }}
{{- if $values.google.project }}
- { name: GOOGLE_CLOUD_PROJECT, value: {{ $values.google.project | quote }} }
{{- if eq .role "loyalty" }}
{{- with $values.google.pushEndpoint }}
- { name: ORDERMESH_LOYALTY_PUSH_ENDPOINT, value: {{ . | quote }} }
{{- end }}
{{- with $values.google.pushServiceAccount }}
- { name: ORDERMESH_LOYALTY_PUSH_SERVICE_ACCOUNT, value: {{ . | quote }} }
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) (default dict (get $role "env")) $values.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end -}}

{{/* Secrets as YAML: by the name of the volume the Secret and its items. The same arguments. */}}
{{- define "ordermesh.secrets" -}}
{{- $values := .root.Values -}}
{{- $role := default dict (get $values.roles .role) -}}
admin: { secretName: {{ $values.admin.existingSecret }}, items: [{ key: token, path: token }] }
{{- if .database }}
database: { secretName: {{ $values.database.existingSecret }}, items: [{ key: {{ .database }}, path: {{ .database }} }] }
{{- if $values.database.caSecret.name }}
database-ca: { secretName: {{ $values.database.caSecret.name }}, items: [{ key: {{ $values.database.caSecret.key }}, path: {{ $values.database.caSecret.key }} }] }
{{- end }}
{{- end }}
{{- if .kafka }}
{{- if include "ordermesh.usesSasl" .root }}
kafka: { secretName: {{ printf "%s%s" $values.kafka.userPrefix .role }}, items: [{ key: password, path: password }] }
{{- end }}
{{- if and (include "ordermesh.usesKafkaTls" .root) (include "ordermesh.kafkaCaSecret" .root) }}
kafka-ca: { secretName: {{ include "ordermesh.kafkaCaSecret" .root }}, items: [{ key: {{ $values.kafka.caSecret.key }}, path: {{ $values.kafka.caSecret.key }} }] }
{{- end }}
{{- end }}
{{- if and (eq .role "gateway") $values.identity.jwksSecret (not $values.identity.jwksUrl) }}
jwks: { secretName: {{ $values.identity.jwksSecret }}, items: [{ key: jwks.json, path: jwks.json }] }
{{- end }}
{{- with get $role "tlsSecret" }}
tls: { secretName: {{ . }}, items: [{ key: tls.crt, path: tls.crt }, { key: tls.key, path: tls.key }] }
{{- end }}
{{- end -}}

{{- define "ordermesh.mounts" -}}
{{- range $name, $secret := include "ordermesh.secrets" . | fromYaml }}
- { name: {{ $name }}, mountPath: /run/secrets/{{ $name }}, readOnly: true }
{{- end }}
{{- end -}}

{{- define "ordermesh.volumes" -}}
{{- range $name, $secret := include "ordermesh.secrets" . | fromYaml }}
- name: {{ $name }}
  secret:
    optional: false
    defaultMode: 0440
    {{- toYaml $secret | nindent 4 }}
{{- end }}
{{- end -}}

{{/* The head of every pod: its own user, no token of the API, and no environment variables of Services. */}}
{{- define "ordermesh.podHead" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "ordermesh.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}
