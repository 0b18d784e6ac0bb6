{#-
Quarters of an hour are counted in UTC since 1970. Every zone in use today is a multiple of 15 minutes away from UTC
(Nepal 5:45, Chatham 12:45), so a local hour is always made of whole quarters, and the slow conversion to local time
happens once per quarter instead of once per sighting. divide() is integer division.
-#}
{% macro quarter_of(moment) -%}
    divide(epoch_us({{ moment }}), 900000000)
{%- endmacro %}

{% macro quarter_start(quarter) -%}
    make_timestamptz({{ quarter }} * 900000000)
{%- endmacro %}
