select first_day as day, platform, app_version, country, count(*) as players
from {{ ref("players") }}
group by first_day, platform, app_version, country
