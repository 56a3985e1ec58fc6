import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.regex.Pattern;

/** Restores a flex cluster to itself and waits: java Restore.java PROJECT CLUSTER SNAPSHOT. */
public class Restore {
    static final String BASE = System.getenv("MONGODB_ATLAS_BASE_URL");
    static final HttpClient HTTP = HttpClient.newHttpClient();

    static String send(HttpRequest.Builder request) throws Exception {
        var answer = HTTP.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IllegalStateException(answer.body());
        return answer.body();
    }

    static String field(String json, String name) {
        var found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        if (!found.find()) throw new IllegalStateException("no " + name + " in " + json);
        return found.group(1);
    }

    public static void main(String[] arguments) throws Exception {
        var account = System.getenv("MONGODB_ATLAS_CLIENT_ID") + ":" + System.getenv("MONGODB_ATLAS_CLIENT_SECRET");
        var token = field(send(HttpRequest.newBuilder(URI.create(BASE + "/api/oauth/token"))
            .header("Authorization", "Basic " + Base64.getEncoder().encodeToString(account.getBytes()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString("grant_type=client_credentials"))), "access_token");
        var jobs = BASE + "/api/atlas/v2/groups/" + arguments[0] + "/flexClusters/" + arguments[1] + "/backup/restoreJobs";
        var body = "{\"snapshotId\":\"" + arguments[2] + "\",\"targetDeploymentItemName\":\"" + arguments[1] + "\"}";
        var accept = "application/vnd.atlas.2024-11-13+json";
        var job = field(send(HttpRequest.newBuilder(URI.create(jobs)).header("Authorization", "Bearer " + token)
            .header("Accept", accept).header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))), "id");
        String status;
        do {
            Thread.sleep(50);
            status = field(send(HttpRequest.newBuilder(URI.create(jobs + "/" + job))
                .header("Authorization", "Bearer " + token).header("Accept", accept)), "status");
        } while (!status.equals("COMPLETED") && !status.equals("FAILED"));
        System.out.println(status);
    }
}
