//! Kinds of servers programs depend on, told by words, ports and images.

/// A kind of database, cache or broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Server {
    MySql,
    Postgres,
    Mongo,
    Redis,
    MsSql,
    Oracle,
    Elasticsearch,
    Cassandra,
    Broker,
}

/// Name, usual port, and words of its drivers and images.
const SERVERS: [(Server, &str, u16, &[&str]); 9] = [
    (Server::MySql, "MySQL", 3306, &["mysql", "mariadb", "percona", "read-only option", "error 1040"]),
    (
        Server::Postgres,
        "PostgreSQL",
        5432,
        &[
            "postgres",
            "psql",
            "pgx",
            "pg_hba",
            "npgsql",
            "psycopg",
            "sqlstate",
            "read-only transaction",
            "pg::",
            "too many clients already",
            "connection slots are reserved",
        ],
    ),
    (Server::Mongo, "MongoDB", 27017, &["mongo"]),
    (
        Server::Redis,
        "Redis",
        6379,
        &["redis", "valkey", "lettuce", "jedis", "wrongpass", "noauth", "read only replica", "max number of clients reached"],
    ),
    (Server::MsSql, "SQL Server", 1433, &["sqlserver", "mssql", "login failed for user"]),
    (Server::Oracle, "Oracle", 1521, &["ora-", "oracle"]),
    (Server::Elasticsearch, "Elasticsearch", 9200, &["elastic", "opensearch", "read-only / allow delete"]),
    (Server::Cassandra, "Cassandra", 9042, &["cassandra", "scylla"]),
    (Server::Broker, "the message broker", 5672, &["rabbit", "amqp", "kafka", "sasl", "nats"]),
];

impl Server {
    fn row(self) -> &'static (Server, &'static str, u16, &'static [&'static str]) {
        SERVERS.iter().find(|(server, ..)| *server == self).unwrap_or(&SERVERS[0])
    }

    /// As its makers write it.
    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// The port it usually serves.
    pub(super) fn port(self) -> u16 {
        self.row().2
    }

    /// The kind a text speaks of: a driver's class, an error, an image, a name.
    pub(super) fn told_by(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        SERVERS.iter().find(|(.., words)| words.iter().any(|w| text.contains(w))).map(|(server, ..)| *server)
    }

    /// The kind that usually serves `port`.
    pub(super) fn on_port(port: u16) -> Option<Self> {
        SERVERS.iter().find(|(_, _, usual, _)| *usual == port).map(|(server, ..)| *server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_and_errors_tell_the_server() {
        let table = [
            ("com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure", Some(Server::MySql)),
            ("ERROR: cannot execute INSERT in a read-only transaction", Some(Server::Postgres)),
            ("READONLY You can't write against a read only replica.", Some(Server::Redis)),
            ("MongoServerError: Authentication failed.", Some(Server::Mongo)),
            ("connection refused", None),
        ];
        for (text, server) in table {
            assert_eq!(Server::told_by(text), server, "{text}");
        }
        assert_eq!(Server::on_port(5432), Some(Server::Postgres));
    }
}
