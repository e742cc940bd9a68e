//! JSON read strictly: objects are objects, and no member comes twice at any depth, for two readers of a repeated
//! member may each believe another one of the two. What the members mean is left to the verifier.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It is no JSON, is nested too deep, or is not of the wanted form.
    Malformed,
    /// An object has a member twice.
    DuplicateMember,
}

/// A member that is looked at in passing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Member {
    Absent,
    Number(f64),
    /// It is something else; `null` is something.
    Other,
}

/// Reads an object that is all of `json`, refusing members that come twice, in parts that `T` ignores too; and tells what the member
/// `noted` is, whatever `T` makes of it. Nesting deeper than 127 levels is refused by `serde_json`.
pub(crate) fn read<'de, T: Deserialize<'de>>(json: &'de [u8], noted: &'static str) -> Result<(T, Member), JsonError> {
    // Once, and not for each string by itself.
    let json = str::from_utf8(json).map_err(|_| JsonError::Malformed)?;
    let mut reader = serde_json::Deserializer::from_str(json);
    // Of a JSON text that is well-formed, only a member that comes twice makes this walk fail.
    let walked = NoDuplicates { noted }
        .deserialize(&mut reader)
        .map_err(|error| if error.is_data() { JsonError::DuplicateMember } else { JsonError::Malformed })?;
    reader.end().map_err(|_| JsonError::Malformed)?;
    Ok((read_object(json)?, walked.noted))
}

/// Reads an object that is all of `json`. Of members that come twice it refuses those that `T` knows, by serde's own
/// doing; the others are for [`read`] to find.
pub(crate) fn read_object<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, JsonError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = object(&mut reader).map_err(|_| JsonError::Malformed)?;
    reader.end().map_err(|_| JsonError::Malformed)?;
    Ok(value)
}

/// Reads a struct from an object alone; serde's derive would take an array of its fields as well.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// Walks a value without building it and fails at a member that comes twice.
#[derive(Clone, Copy)]
struct NoDuplicates {
    noted: &'static str,
}

/// What a walk has seen: of the value itself and, where that is an object, of its noted member.
struct Walked {
    itself: Member,
    noted: Member,
}

impl Walked {
    /// A value that has no members.
    fn plain(itself: Member) -> Self {
        Self { itself, noted: Member::Absent }
    }
}

impl<'de> DeserializeSeed<'de> for NoDuplicates {
    type Value = Walked;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Walked, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoDuplicates {
    type Value = Walked;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Walked, A::Error> {
        let mut noted = Member::Absent;
        let mut names = Vec::with_capacity(16);
        while let Some(name) = members.next_key_seed(MemberName)? {
            let member = members.next_value_seed(self)?;
            if name == self.noted {
                noted = member.itself;
            }
            names.push(name);
        }
        // Sorted and not compared pair by pair: a hostile text can have a thousand members.
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom("a member comes twice"));
        }
        Ok(Walked { itself: Member::Other, noted })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Walked, A::Error> {
        while elements.next_element_seed(self)?.is_some() {}
        Ok(Walked::plain(Member::Other))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Walked, E> {
        Ok(Walked::plain(Member::Other))
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of JSON is a double to most readers (RFC 8259 §6)")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Walked, E> {
        Ok(Walked::plain(Member::Number(number as f64)))
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of JSON is a double to most readers (RFC 8259 §6)")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Walked, E> {
        Ok(Walked::plain(Member::Number(number as f64)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Walked, E> {
        Ok(Walked::plain(Member::Number(number)))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Walked, E> {
        Ok(Walked::plain(Member::Other))
    }

    fn visit_unit<E: Error>(self) -> Result<Walked, E> {
        Ok(Walked::plain(Member::Other))
    }
}

/// A member's name with its escapes resolved, borrowed where it has none.
struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
