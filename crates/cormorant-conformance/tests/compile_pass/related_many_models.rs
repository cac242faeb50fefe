//! Many models in one graph: whether one is `Send` is not asked of all.
use cormorant::prelude::*;

#[derive(Model, Clone, Debug)]
struct M0 { id: i64, next: Option<ForeignKey<M1>>, before: HasMany<M59>, linked: ManyToMany<M7> }

#[derive(Model, Clone, Debug)]
struct M1 { id: i64, next: Option<ForeignKey<M2>>, before: HasMany<M0>, linked: ManyToMany<M8> }

#[derive(Model, Clone, Debug)]
struct M2 { id: i64, next: Option<ForeignKey<M3>>, before: HasMany<M1>, linked: ManyToMany<M9> }

#[derive(Model, Clone, Debug)]
struct M3 { id: i64, next: Option<ForeignKey<M4>>, before: HasMany<M2>, linked: ManyToMany<M10> }

#[derive(Model, Clone, Debug)]
struct M4 { id: i64, next: Option<ForeignKey<M5>>, before: HasMany<M3>, linked: ManyToMany<M11> }

#[derive(Model, Clone, Debug)]
struct M5 { id: i64, next: Option<ForeignKey<M6>>, before: HasMany<M4>, linked: ManyToMany<M12> }

#[derive(Model, Clone, Debug)]
struct M6 { id: i64, next: Option<ForeignKey<M7>>, before: HasMany<M5>, linked: ManyToMany<M13> }

#[derive(Model, Clone, Debug)]
struct M7 { id: i64, next: Option<ForeignKey<M8>>, before: HasMany<M6>, linked: ManyToMany<M14> }

#[derive(Model, Clone, Debug)]
struct M8 { id: i64, next: Option<ForeignKey<M9>>, before: HasMany<M7>, linked: ManyToMany<M15> }

#[derive(Model, Clone, Debug)]
struct M9 { id: i64, next: Option<ForeignKey<M10>>, before: HasMany<M8>, linked: ManyToMany<M16> }

#[derive(Model, Clone, Debug)]
struct M10 { id: i64, next: Option<ForeignKey<M11>>, before: HasMany<M9>, linked: ManyToMany<M17> }

#[derive(Model, Clone, Debug)]
struct M11 { id: i64, next: Option<ForeignKey<M12>>, before: HasMany<M10>, linked: ManyToMany<M18> }

#[derive(Model, Clone, Debug)]
struct M12 { id: i64, next: Option<ForeignKey<M13>>, before: HasMany<M11>, linked: ManyToMany<M19> }

#[derive(Model, Clone, Debug)]
struct M13 { id: i64, next: Option<ForeignKey<M14>>, before: HasMany<M12>, linked: ManyToMany<M20> }

#[derive(Model, Clone, Debug)]
struct M14 { id: i64, next: Option<ForeignKey<M15>>, before: HasMany<M13>, linked: ManyToMany<M21> }

#[derive(Model, Clone, Debug)]
struct M15 { id: i64, next: Option<ForeignKey<M16>>, before: HasMany<M14>, linked: ManyToMany<M22> }

#[derive(Model, Clone, Debug)]
struct M16 { id: i64, next: Option<ForeignKey<M17>>, before: HasMany<M15>, linked: ManyToMany<M23> }

#[derive(Model, Clone, Debug)]
struct M17 { id: i64, next: Option<ForeignKey<M18>>, before: HasMany<M16>, linked: ManyToMany<M24> }

#[derive(Model, Clone, Debug)]
struct M18 { id: i64, next: Option<ForeignKey<M19>>, before: HasMany<M17>, linked: ManyToMany<M25> }

#[derive(Model, Clone, Debug)]
struct M19 { id: i64, next: Option<ForeignKey<M20>>, before: HasMany<M18>, linked: ManyToMany<M26> }

#[derive(Model, Clone, Debug)]
struct M20 { id: i64, next: Option<ForeignKey<M21>>, before: HasMany<M19>, linked: ManyToMany<M27> }

#[derive(Model, Clone, Debug)]
struct M21 { id: i64, next: Option<ForeignKey<M22>>, before: HasMany<M20>, linked: ManyToMany<M28> }

#[derive(Model, Clone, Debug)]
struct M22 { id: i64, next: Option<ForeignKey<M23>>, before: HasMany<M21>, linked: ManyToMany<M29> }

#[derive(Model, Clone, Debug)]
struct M23 { id: i64, next: Option<ForeignKey<M24>>, before: HasMany<M22>, linked: ManyToMany<M30> }

#[derive(Model, Clone, Debug)]
struct M24 { id: i64, next: Option<ForeignKey<M25>>, before: HasMany<M23>, linked: ManyToMany<M31> }

#[derive(Model, Clone, Debug)]
struct M25 { id: i64, next: Option<ForeignKey<M26>>, before: HasMany<M24>, linked: ManyToMany<M32> }

#[derive(Model, Clone, Debug)]
struct M26 { id: i64, next: Option<ForeignKey<M27>>, before: HasMany<M25>, linked: ManyToMany<M33> }

#[derive(Model, Clone, Debug)]
struct M27 { id: i64, next: Option<ForeignKey<M28>>, before: HasMany<M26>, linked: ManyToMany<M34> }

#[derive(Model, Clone, Debug)]
struct M28 { id: i64, next: Option<ForeignKey<M29>>, before: HasMany<M27>, linked: ManyToMany<M35> }

#[derive(Model, Clone, Debug)]
struct M29 { id: i64, next: Option<ForeignKey<M30>>, before: HasMany<M28>, linked: ManyToMany<M36> }

#[derive(Model, Clone, Debug)]
struct M30 { id: i64, next: Option<ForeignKey<M31>>, before: HasMany<M29>, linked: ManyToMany<M37> }

#[derive(Model, Clone, Debug)]
struct M31 { id: i64, next: Option<ForeignKey<M32>>, before: HasMany<M30>, linked: ManyToMany<M38> }

#[derive(Model, Clone, Debug)]
struct M32 { id: i64, next: Option<ForeignKey<M33>>, before: HasMany<M31>, linked: ManyToMany<M39> }

#[derive(Model, Clone, Debug)]
struct M33 { id: i64, next: Option<ForeignKey<M34>>, before: HasMany<M32>, linked: ManyToMany<M40> }

#[derive(Model, Clone, Debug)]
struct M34 { id: i64, next: Option<ForeignKey<M35>>, before: HasMany<M33>, linked: ManyToMany<M41> }

#[derive(Model, Clone, Debug)]
struct M35 { id: i64, next: Option<ForeignKey<M36>>, before: HasMany<M34>, linked: ManyToMany<M42> }

#[derive(Model, Clone, Debug)]
struct M36 { id: i64, next: Option<ForeignKey<M37>>, before: HasMany<M35>, linked: ManyToMany<M43> }

#[derive(Model, Clone, Debug)]
struct M37 { id: i64, next: Option<ForeignKey<M38>>, before: HasMany<M36>, linked: ManyToMany<M44> }

#[derive(Model, Clone, Debug)]
struct M38 { id: i64, next: Option<ForeignKey<M39>>, before: HasMany<M37>, linked: ManyToMany<M45> }

#[derive(Model, Clone, Debug)]
struct M39 { id: i64, next: Option<ForeignKey<M40>>, before: HasMany<M38>, linked: ManyToMany<M46> }

#[derive(Model, Clone, Debug)]
struct M40 { id: i64, next: Option<ForeignKey<M41>>, before: HasMany<M39>, linked: ManyToMany<M47> }

#[derive(Model, Clone, Debug)]
struct M41 { id: i64, next: Option<ForeignKey<M42>>, before: HasMany<M40>, linked: ManyToMany<M48> }

#[derive(Model, Clone, Debug)]
struct M42 { id: i64, next: Option<ForeignKey<M43>>, before: HasMany<M41>, linked: ManyToMany<M49> }

#[derive(Model, Clone, Debug)]
struct M43 { id: i64, next: Option<ForeignKey<M44>>, before: HasMany<M42>, linked: ManyToMany<M50> }

#[derive(Model, Clone, Debug)]
struct M44 { id: i64, next: Option<ForeignKey<M45>>, before: HasMany<M43>, linked: ManyToMany<M51> }

#[derive(Model, Clone, Debug)]
struct M45 { id: i64, next: Option<ForeignKey<M46>>, before: HasMany<M44>, linked: ManyToMany<M52> }

#[derive(Model, Clone, Debug)]
struct M46 { id: i64, next: Option<ForeignKey<M47>>, before: HasMany<M45>, linked: ManyToMany<M53> }

#[derive(Model, Clone, Debug)]
struct M47 { id: i64, next: Option<ForeignKey<M48>>, before: HasMany<M46>, linked: ManyToMany<M54> }

#[derive(Model, Clone, Debug)]
struct M48 { id: i64, next: Option<ForeignKey<M49>>, before: HasMany<M47>, linked: ManyToMany<M55> }

#[derive(Model, Clone, Debug)]
struct M49 { id: i64, next: Option<ForeignKey<M50>>, before: HasMany<M48>, linked: ManyToMany<M56> }

#[derive(Model, Clone, Debug)]
struct M50 { id: i64, next: Option<ForeignKey<M51>>, before: HasMany<M49>, linked: ManyToMany<M57> }

#[derive(Model, Clone, Debug)]
struct M51 { id: i64, next: Option<ForeignKey<M52>>, before: HasMany<M50>, linked: ManyToMany<M58> }

#[derive(Model, Clone, Debug)]
struct M52 { id: i64, next: Option<ForeignKey<M53>>, before: HasMany<M51>, linked: ManyToMany<M59> }

#[derive(Model, Clone, Debug)]
struct M53 { id: i64, next: Option<ForeignKey<M54>>, before: HasMany<M52>, linked: ManyToMany<M0> }

#[derive(Model, Clone, Debug)]
struct M54 { id: i64, next: Option<ForeignKey<M55>>, before: HasMany<M53>, linked: ManyToMany<M1> }

#[derive(Model, Clone, Debug)]
struct M55 { id: i64, next: Option<ForeignKey<M56>>, before: HasMany<M54>, linked: ManyToMany<M2> }

#[derive(Model, Clone, Debug)]
struct M56 { id: i64, next: Option<ForeignKey<M57>>, before: HasMany<M55>, linked: ManyToMany<M3> }

#[derive(Model, Clone, Debug)]
struct M57 { id: i64, next: Option<ForeignKey<M58>>, before: HasMany<M56>, linked: ManyToMany<M4> }

#[derive(Model, Clone, Debug)]
struct M58 { id: i64, next: Option<ForeignKey<M59>>, before: HasMany<M57>, linked: ManyToMany<M5> }

#[derive(Model, Clone, Debug)]
struct M59 { id: i64, next: Option<ForeignKey<M0>>, before: HasMany<M58>, linked: ManyToMany<M6> }

fn spawned(_: impl Send) {}

fn main() {
    spawned(async {
        let db = Database::connect("sqlite::memory:").await?;
        M0::query().include(|m| m.next().next()).all(&db).await?;
        M0::builder().insert(&db).await?.linked().add(&db, [1]).await
    });
}
