// Reads resources of Strimzi, as a JSON array on standard input, into Strimzi's own model and names every field that the model does not
// know. Run by chart.integration.test.ts: java -cp 'JARS/*' ReadStrimzi.java
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strimzi.api.kafka.model.common.UnknownPropertyPreserving;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.Map;

public class ReadStrimzi {
    private static final Map<String, String> PACKAGES = Map.of(
            "Kafka", "kafka", "KafkaTopic", "topic", "KafkaUser", "user", "KafkaNodePool", "nodepool", "KafkaMirrorMaker2", "mirrormaker2");

    private static int faults = 0;

    public static void main(String[] arguments) throws Exception {
        ObjectMapper mapper = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        int read = 0;
        for (JsonNode resource : mapper.readTree(System.in)) {
            String kind = resource.get("kind").asText();
            Class<?> type = Class.forName("io.strimzi.api.kafka.model." + PACKAGES.get(kind) + "." + kind);
            look(mapper.treeToValue(resource, type), kind + " " + resource.get("metadata").get("name").asText());
            read++;
        }
        System.out.println(read + " read, " + faults + " unknown");
        if (faults > 0) System.exit(1);
    }

    /** The model keeps what it does not know, in every object that preserves unknown properties. */
    private static void look(Object value, String path) throws Exception {
        if (value == null) return;
        if (value instanceof Map<?, ?> map) {
            for (Map.Entry<?, ?> entry : map.entrySet()) look(entry.getValue(), path + "." + entry.getKey());
            return;
        }
        if (value instanceof Collection<?> list) {
            for (Object item : list) look(item, path + "[]");
            return;
        }
        if (!value.getClass().getName().startsWith("io.strimzi.")  || value.getClass().isEnum()) return;
        if (value instanceof UnknownPropertyPreserving object && object.getAdditionalProperties() != null) {
            for (String name : object.getAdditionalProperties().keySet()) {
                System.out.println(path + " has " + name + ", which " + value.getClass().getSimpleName() + " does not know");
                faults++;
            }
        }
        for (Method method : value.getClass().getMethods()) {
            boolean isGetter = method.getName().matches("get[A-Z].*") && method.getParameterCount() == 0;
            if (!isGetter || Modifier.isStatic(method.getModifiers()) || method.getName().matches("getClass|getAdditionalProperties")) continue;
            String name = Character.toLowerCase(method.getName().charAt(3)) + method.getName().substring(4);
            look(method.invoke(value), path + "." + name);
        }
    }
}
