//! Real questions about a database nobody here made: the Chinook sample, a digital media store.
//!
//! `cargo run --example chinook -- Chinook.sqlite` reads a SQLite file; a `postgresql://` or `mysql://` URL works too.
//! The models are written by hand: CamelCase or snake_case names by attribute, a self-referencing table, a link table
//! whose key is two foreign keys, exact money.
use cormorant::prelude::*;

/// The eleven tables and seven questions, for one way of writing names: SQLite and MySQL have `InvoiceLine.UnitPrice`,
/// PostgreSQL has `invoice_line.unit_price`.
macro_rules! chinook {
    (
        $module:ident, $case:literal, $album:literal, $artist:literal, $customer:literal, $employee:literal,
        $genre:literal, $invoice:literal, $invoice_line:literal, $media_type:literal, $playlist:literal,
        $playlist_track:literal, $track:literal, $reports_to:literal
    ) => {
        mod $module {
            use cormorant::prelude::*;

            #[derive(Model)]
            #[model(table = $album, rename_all = $case)]
            struct Album {
                #[model(key)]
                album_id: i32,
                #[model(max_length = 160)]
                title: String,
                artist: ForeignKey<Artist>,
                tracks: HasMany<Track>,
            }

            #[derive(Model)]
            #[model(table = $artist, rename_all = $case)]
            struct Artist {
                #[model(key)]
                artist_id: i32,
                #[model(max_length = 120)]
                name: Option<String>,
                albums: HasMany<Album>,
            }

            #[derive(Model)]
            #[model(table = $customer, rename_all = $case)]
            struct Customer {
                #[model(key)]
                customer_id: i32,
                #[model(max_length = 40)]
                first_name: String,
                #[model(max_length = 20)]
                last_name: String,
                #[model(max_length = 80)]
                company: Option<String>,
                #[model(max_length = 70)]
                address: Option<String>,
                #[model(max_length = 40)]
                city: Option<String>,
                #[model(max_length = 40)]
                state: Option<String>,
                #[model(max_length = 40)]
                country: Option<String>,
                #[model(max_length = 10)]
                postal_code: Option<String>,
                #[model(max_length = 24)]
                phone: Option<String>,
                #[model(max_length = 24)]
                fax: Option<String>,
                #[model(max_length = 60)]
                email: String,
                support_rep: Option<ForeignKey<Employee>>,
            }

            #[derive(Model)]
            #[model(table = $employee, rename_all = $case)]
            struct Employee {
                #[model(key)]
                employee_id: i32,
                #[model(max_length = 20)]
                last_name: String,
                #[model(max_length = 20)]
                first_name: String,
                #[model(max_length = 30)]
                title: Option<String>,
                #[model(column = $reports_to)]
                reports_to: Option<ForeignKey<Employee>>,
                birth_date: Option<DateTime>,
                hire_date: Option<DateTime>,
                #[model(max_length = 70)]
                address: Option<String>,
                #[model(max_length = 40)]
                city: Option<String>,
                #[model(max_length = 40)]
                state: Option<String>,
                #[model(max_length = 40)]
                country: Option<String>,
                #[model(max_length = 10)]
                postal_code: Option<String>,
                #[model(max_length = 24)]
                phone: Option<String>,
                #[model(max_length = 24)]
                fax: Option<String>,
                #[model(max_length = 60)]
                email: Option<String>,
            }

            #[derive(Model)]
            #[model(table = $genre, rename_all = $case)]
            struct Genre {
                #[model(key)]
                genre_id: i32,
                #[model(max_length = 120)]
                name: Option<String>,
            }

            #[derive(Model)]
            #[model(table = $invoice, rename_all = $case)]
            struct Invoice {
                #[model(key)]
                invoice_id: i32,
                customer: ForeignKey<Customer>,
                invoice_date: DateTime,
                #[model(max_length = 70)]
                billing_address: Option<String>,
                #[model(max_length = 40)]
                billing_city: Option<String>,
                #[model(max_length = 40)]
                billing_state: Option<String>,
                #[model(max_length = 40)]
                billing_country: Option<String>,
                #[model(max_length = 10)]
                billing_postal_code: Option<String>,
                #[model(precision = 10, scale = 2)]
                total: Decimal,
            }

            #[derive(Model)]
            #[model(table = $invoice_line, rename_all = $case)]
            struct InvoiceLine {
                #[model(key)]
                invoice_line_id: i32,
                invoice: ForeignKey<Invoice>,
                track: ForeignKey<Track>,
                #[model(precision = 10, scale = 2)]
                unit_price: Decimal,
                quantity: i32,
            }

            #[derive(Model)]
            #[model(table = $media_type, rename_all = $case)]
            struct MediaType {
                #[model(key)]
                media_type_id: i32,
                #[model(max_length = 120)]
                name: Option<String>,
            }

            #[derive(Model)]
            #[model(table = $playlist, rename_all = $case)]
            struct Playlist {
                #[model(key)]
                playlist_id: i32,
                #[model(max_length = 120)]
                name: Option<String>,
                #[model(through = PlaylistTrack)]
                tracks: ManyToMany<Track>,
            }

            #[derive(Model)]
            #[model(table = $playlist_track, rename_all = $case)]
            struct PlaylistTrack {
                #[model(key)]
                playlist: ForeignKey<Playlist>,
                #[model(key)]
                track: ForeignKey<Track>,
            }

            #[derive(Model)]
            #[model(table = $track, rename_all = $case)]
            struct Track {
                #[model(key)]
                track_id: i32,
                #[model(max_length = 200)]
                name: String,
                album: Option<ForeignKey<Album>>,
                media_type: ForeignKey<MediaType>,
                genre: Option<ForeignKey<Genre>>,
                #[model(max_length = 220)]
                composer: Option<String>,
                milliseconds: i32,
                bytes: Option<i32>,
                #[model(precision = 10, scale = 2)]
                unit_price: Decimal,
            }

            pub(super) async fn report(db: &Database) -> cormorant::Result<()> {
                println!("# genres");
                let genres: Vec<(Option<String>, i64)> = Track::query()
                    .group_by(|t| (t.genre().name(), t.genre().genre_id()))
                    .select(|t| (t.genre().name(), count()))
                    .order_by(|t| (count().desc(), t.genre().name().asc()))
                    .limit(5)
                    .all(db)
                    .await?;
                for (genre, tracks) in genres {
                    println!("{}\t{tracks}", genre.unwrap_or_default());
                }

                println!("# customers");
                let customers: Vec<(String, Option<String>, Option<Decimal>)> = Invoice::query()
                    .group_by(|i| {
                        let customer = i.customer();
                        (customer.customer_id(), customer.first_name(), customer.last_name(), customer.country())
                    })
                    .select(|i| {
                        let customer = i.customer();
                        let name = customer.first_name().concat(" ").concat(customer.last_name());
                        (name, customer.country(), i.total().sum())
                    })
                    .order_by(|i| (i.total().sum().desc(), i.customer().customer_id().asc()))
                    .limit(5)
                    .all(db)
                    .await?;
                for (name, country, total) in customers {
                    println!("{name}\t{}\t{:.2}", country.unwrap_or_default(), total.unwrap_or_default());
                }

                println!("# artists");
                let artists: Vec<(Option<String>, Option<Decimal>)> = InvoiceLine::query()
                    .group_by(|l| {
                        let artist = l.track().album().artist();
                        (artist.artist_id(), artist.name())
                    })
                    .select(|l| (l.track().album().artist().name(), (l.unit_price() * l.quantity()).sum()))
                    .order_by(|l| {
                        let revenue = (l.unit_price() * l.quantity()).sum();
                        (revenue.desc(), l.track().album().artist().artist_id().asc())
                    })
                    .limit(5)
                    .all(db)
                    .await?;
                for (artist, revenue) in artists {
                    println!("{}\t{:.2}", artist.unwrap_or_default(), revenue.unwrap_or_default());
                }

                println!("# support");
                let support: Vec<(Option<String>, i64)> = Customer::query()
                    .group_by(|c| {
                        let manager = c.support_rep().reports_to();
                        (manager.employee_id(), manager.last_name())
                    })
                    .select(|c| (c.support_rep().reports_to().last_name(), count()))
                    .order_by(|c| (count().desc(), c.support_rep().reports_to().employee_id().asc()))
                    .all(db)
                    .await?;
                for (manager, customers) in support {
                    println!("{}\t{customers}", manager.unwrap_or_default());
                }

                println!("# long");
                let long: Vec<(String, i32)> = Track::filter(|t| t.name().contains("%") | t.name().contains("_"))
                    .select(|t| (t.name(), t.milliseconds()))
                    .order_by(|t| (t.milliseconds().desc(), t.track_id().asc()))
                    .all(db)
                    .await?;
                for (name, milliseconds) in long {
                    println!("{name}\t{milliseconds}");
                }

                // Two statements: playlists, and the three longest tracks of each.
                println!("# playlists");
                let playlists = Playlist::filter(|p| p.tracks().count().between(1, 100))
                    .include(|p| p.tracks().order_by(|t| (t.milliseconds().desc(), t.track_id().asc())).limit(3))
                    .order_by(|p| p.playlist_id().asc())
                    .all(db)
                    .await?;
                for playlist in &playlists {
                    let longest: Vec<String> =
                        playlist.tracks.get()?.iter().map(|t| format!("{} s", t.milliseconds / 1000)).collect();
                    println!("{}\t{}", playlist.name.as_deref().unwrap_or_default(), longest.join(", "));
                }

                // Three statements: artists, their albums, and the tracks of those.
                println!("# discographies");
                let artists = Artist::query()
                    .include(|a| a.albums().order_by(|b| b.album_id().asc()).include(|b| b.tracks()))
                    .order_by(|a| (a.albums().count().desc(), a.artist_id().asc()))
                    .limit(3)
                    .all(db)
                    .await?;
                for artist in &artists {
                    let albums = artist.albums.get()?;
                    let tracks = albums.iter().map(|b| Ok(b.tracks.get()?.len())).sum::<cormorant::Result<usize>>()?;
                    println!("{}\t{}\t{tracks}", artist.name.as_deref().unwrap_or_default(), albums.len());
                }
                Ok(())
            }
        }
    };
}

chinook!(
    camel,
    "PascalCase",
    "Album",
    "Artist",
    "Customer",
    "Employee",
    "Genre",
    "Invoice",
    "InvoiceLine",
    "MediaType",
    "Playlist",
    "PlaylistTrack",
    "Track",
    "ReportsTo"
);
chinook!(
    snake,
    "snake_case",
    "album",
    "artist",
    "customer",
    "employee",
    "genre",
    "invoice",
    "invoice_line",
    "media_type",
    "playlist",
    "playlist_track",
    "track",
    "reports_to"
);

#[tokio::main]
async fn main() -> cormorant::Result<()> {
    let Some(place) = std::env::args().nth(1) else {
        eprintln!("usage: cargo run --example chinook -- <file.sqlite | postgresql://… | mysql://…>");
        std::process::exit(2);
    };
    let url = if place.contains("://") || place.starts_with("sqlite:") { place } else { format!("sqlite:{place}") };
    let db = Database::connect(&url).await?;
    if url.starts_with("postgres") { snake::report(&db).await } else { camel::report(&db).await }
}
