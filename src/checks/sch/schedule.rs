//! Schedule expressions of rotation: `rate(…)` and six-field `cron(…)`, by the
//! rules that Secrets Manager sets for them.

use crate::catalogue::schedule_limits;

/// A schedule.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// Every so many hours.
    Hours(i64),
    /// Every so many days, from midnight.
    Days(i64),
    /// At these hours of the days that its other fields choose.
    At(Vec<u32>),
}

/// The rule of Secrets Manager that an expression breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScheduleError {
    #[error("it is neither rate(…) nor cron(…)")]
    Form,
    #[error("a rate is a number and a unit, such as rate(10 days)")]
    Rate,
    #[error("{0} is not a whole number above zero")]
    Number(String),
    #[error("a secret rotates every {least} hours at most")]
    TooOften { least: i64 },
    #[error("a secret rotates every {most} days at least")]
    TooSeldom { most: i64 },
    #[error("a rate counts hours or days, not {0}")]
    Unit(String),
    #[error(
        "it has {has} fields; cron needs {needs}: minutes, hours, day of month, month, day of \
         week, year"
    )]
    Fields { has: usize, needs: i64 },
    #[error("the minutes are {minutes}; a window begins on the hour, at {minute}")]
    Minutes { minutes: String, minute: i64 },
    #[error("the year is {0}; it must be *")]
    Year(String),
    #[error("day of month and day of week are both ?")]
    NoDay,
    #[error("day of month and day of week are both set; one of them must be ?")]
    BothDays,
    #[error("the {field} {text} cannot be read")]
    Unreadable { field: &'static str, text: String },
    #[error("its hours are closer together than {least} hours")]
    HoursTooClose { least: i64 },
}

impl ScheduleError {
    fn unreadable(field: &'static str, text: &str) -> Self {
        Self::Unreadable { field, text: text.to_owned() }
    }
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Schedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// The rule that it breaks; its text is a sentence without the full stop.
    pub(super) fn parse(expression: &str) -> Result<Self, ScheduleError> {
        let inside = |name: &str| expression.trim().strip_prefix(name)?.strip_suffix(')');
        if let Some(rate) = inside("rate(") {
            return parse_rate(rate);
        }
        match inside("cron(") {
            Some(cron) => parse_cron(cron),
            None => Err(ScheduleError::Form),
        }
    }

    /// Hours that a window may last, at most, so that it ends before the next
    /// one begins and on the same UTC day.
    pub(super) fn longest_window(&self) -> i64 {
        match self {
            Self::Hours(hours) => (*hours).min(24),
            Self::Days(_) => 24,
            Self::At(hours) => {
                // The end of the day bounds the last window.
                let ends = hours.iter().skip(1).map(|hour| i64::from(*hour)).chain([24]);
                hours.iter().zip(ends).map(|(hour, end)| end - i64::from(*hour)).min().unwrap_or(24)
            }
        }
    }
}

fn parse_rate(rate: &str) -> Result<Schedule, ScheduleError> {
    let limits = schedule_limits();
    let words: Vec<&str> = rate.split_whitespace().collect();
    let [number, unit] = words[..] else {
        return Err(ScheduleError::Rate);
    };
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| ScheduleError::Number(number.to_owned()))?;
    match unit {
        "hour" | "hours" => {
            let least = limits.shortest_interval_hours.value;
            if number < least {
                return Err(ScheduleError::TooOften { least });
            }
            Ok(Schedule::Hours(number))
        }
        "day" | "days" => {
            let most = limits.most_days.value;
            if number > most {
                return Err(ScheduleError::TooSeldom { most });
            }
            Ok(Schedule::Days(number))
        }
        other => Err(ScheduleError::Unit(other.to_owned())),
    }
}

fn parse_cron(cron: &str) -> Result<Schedule, ScheduleError> {
    let limits = schedule_limits();
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields[..] else {
        return Err(ScheduleError::Fields { has: fields.len(), needs: limits.cron_fields.value });
    };
    let minute = limits.cron_minute.value;
    if minutes.parse() != Ok(minute) {
        return Err(ScheduleError::Minutes { minutes: minutes.to_owned(), minute });
    }
    if year != "*" {
        return Err(ScheduleError::Year(year.to_owned()));
    }
    match (day, weekday) {
        ("?", "?") => return Err(ScheduleError::NoDay),
        ("?", _) | (_, "?") => {}
        _ => {
            return Err(ScheduleError::BothDays);
        }
    }
    values(month, 1, 12, &MONTHS).ok_or_else(|| ScheduleError::unreadable("month", month))?;
    if day != "?" && !is_special_day(day) {
        values(day, 1, 31, &[]).ok_or_else(|| ScheduleError::unreadable("day of month", day))?;
    }
    if weekday != "?" && !is_special_weekday(weekday) {
        values(weekday, 1, 7, &WEEKDAYS)
            .ok_or_else(|| ScheduleError::unreadable("day of week", weekday))?;
    }
    let hours =
        values(hours, 0, 23, &[]).ok_or_else(|| ScheduleError::unreadable("hours", hours))?;
    let least = limits.shortest_interval_hours.value;
    if hours.windows(2).any(|pair| i64::from(pair[1] - pair[0]) < least) {
        return Err(ScheduleError::HoursTooClose { least });
    }
    Ok(Schedule::At(hours))
}

/// The values that a field names, sorted: `*`, lists, ranges and steps.
fn values(field: &str, least: u32, most: u32, names: &[&str]) -> Option<Vec<u32>> {
    let number = |text: &str| -> Option<u32> {
        let upper = text.to_ascii_uppercase();
        let value = match names.iter().position(|name| *name == upper) {
            Some(position) => least + u32::try_from(position).ok()?,
            None => text.parse().ok()?,
        };
        (least..=most).contains(&value).then_some(value)
    };
    let mut found = Vec::new();
    for part in field.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match span.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            // `/8` begins where the field begins, `2/8` at 2.
            None if span == "*" || (span.is_empty() && part.contains('/')) => (least, most),
            None if part.contains('/') => (number(span)?, most),
            None => (number(span)?, number(span)?),
        };
        if from > to {
            return None;
        }
        found.extend((from..=to).step_by(step as usize));
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// `L`, `LW`, `15W`.
fn is_special_day(field: &str) -> bool {
    matches!(field, "L" | "LW")
        || field.strip_suffix('W').is_some_and(|day| values(day, 1, 31, &[]).is_some())
}

/// `L`, `6L`, `MON#2`.
fn is_special_weekday(field: &str) -> bool {
    let weekday = |text: &str| values(text, 1, 7, &WEEKDAYS).is_some_and(|days| days.len() == 1);
    field == "L"
        || field.strip_suffix('L').is_some_and(weekday)
        || field
            .split_once('#')
            .is_some_and(|(day, week)| weekday(day) && values(week, 1, 5, &[]).is_some())
}

/// Hours of a Duration such as `3h`; `None` where it is not one.
pub(super) fn hours_of(duration: &str) -> Option<i64> {
    duration.strip_suffix('h')?.parse().ok().filter(|hours| *hours > 0)
}

#[cfg(test)]
mod tests {
    use super::{Schedule, hours_of};

    #[test]
    fn what_secrets_manager_takes_is_read() {
        for (expression, longest) in [
            ("rate(10 days)", 24),
            ("rate(4 hours)", 4),
            ("rate(1 day)", 24),
            ("cron(0 8 1 * ? *)", 16),
            ("cron(0 0/8 * * ? *)", 8),
            ("cron(0 /8 * * ? *)", 8),
            ("cron(0 */12 * * ? *)", 12),
            ("cron(0 17 ? * MON#1 *)", 7),
            ("cron(0 18 L * ? *)", 6),
            ("cron(0 18 ? * MON-FRI *)", 6),
            ("cron(0 16 1,15 JAN,JUL ? *)", 8),
            ("cron(0 2 15W * ? *)", 22),
        ] {
            let schedule =
                Schedule::parse(expression).unwrap_or_else(|e| panic!("{expression}: {e}"));
            assert_eq!(schedule.longest_window(), longest, "{expression}");
        }
    }

    #[test]
    fn what_breaks_a_rule_names_the_rule() {
        for (expression, rule) in [
            ("rate(2 hours)", "every 4 hours"),
            ("rate(0 days)", "above zero"),
            ("rate(30 minutes)", "hours or days"),
            ("every day", "neither"),
            ("cron(30 8 * * ? *)", "minutes are 30"),
            ("cron(0 8 * * ? 2027)", "year"),
            ("cron(0 8 * * * *)", "one of them must be ?"),
            ("cron(0 8 ? * ? *)", "both ?"),
            ("cron(0 8 * * ?)", "5 fields"),
            ("cron(0 * * * ? *)", "closer together"),
            ("cron(0 25 * * ? *)", "hours 25"),
            ("cron(0 8 32 * ? *)", "day of month"),
            ("cron(0 8 ? * FOO *)", "day of week"),
        ] {
            let error = Schedule::parse(expression).expect_err(expression).to_string();
            assert!(error.contains(rule), "{expression}: {error}");
        }
    }

    #[test]
    fn a_duration_is_whole_hours() {
        assert_eq!(
            (hours_of("3h"), hours_of("90m"), hours_of("0h"), hours_of("3")),
            (Some(3), None, None, None)
        );
    }
}
